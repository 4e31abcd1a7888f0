//! What keeps a quorum readable: any set of sources that may be the only ones that hold a write must have reached
//! enough target replicas.

/// How many of `replicas` replicas are a quorum: `replicas / 2 + 1`, as Cassandra's `ConsistencyLevel` computes it.
pub fn quorum(replicas: usize) -> usize {
    replicas / 2 + 1
}

/// With more, subsets are not enumerated but bounded: see [`Need::bound`].
const ENUMERATED_SOURCES_MAX: usize = 10;
const ENUMERATED_TARGETS_MAX: usize = 128;

/// Any `sources` of the sources must together reach `targets` of the targets.
///
/// A write at QUORUM is on quorum(n) of n source replicas; of these at least quorum(n) minus the missing ones are
/// available. A read at QUORUM asks quorum(m) of m target replicas, and so finds the write if no more than m -
/// quorum(m) have not received it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Need {
    sources: usize,
    targets: usize,
}

impl Need {
    /// If so many sources are missing that a write may be on none of the others, each of these counts as if it alone
    /// had the write.
    pub(crate) fn new(replicas: usize, available: usize, targets: usize) -> Self {
        Self {
            sources: (quorum(replicas) + available)
                .saturating_sub(replicas)
                .max(1),
            targets: targets + 1 - quorum(targets).min(targets + 1),
        }
    }

    /// Adds further targets to sources until the need is met. `fed[s]` are the targets of source `s`; Pairs with a
    /// higher `score` are preferred.
    pub(crate) fn meet(
        self,
        fed: &mut [Vec<usize>],
        targets: usize,
        score: &dyn Fn(usize, usize) -> i64,
    ) {
        if fed.len() < self.sources || self.bound(fed, targets) >= self.targets {
            return;
        }
        if fed.len() <= ENUMERATED_SOURCES_MAX && targets <= ENUMERATED_TARGETS_MAX {
            while let Some((chosen, reached)) = self.fewest_reached(fed) {
                let candidates = (0..fed.len())
                    .filter(|source| chosen & (1 << source) != 0)
                    .flat_map(|source| (0..targets).map(move |target| (source, target)))
                    .filter(|(_, target)| reached & (1 << target) == 0);
                let takes = |target: &usize| fed.iter().flatten().filter(|t| *t == target).count();
                let best = candidates.max_by_key(|(source, target)| {
                    let few = std::cmp::Reverse(takes(target));
                    (
                        few,
                        score(*source, *target),
                        std::cmp::Reverse((*source, *target)),
                    )
                });
                let Some((source, target)) = best else { return };
                fed[source].push(target);
            }
            return;
        }
        // Round by round, each source's next target after its first: evenly, and at the latest done when all feed all.
        for step in 1..targets {
            for fed in &mut *fed {
                let next = fed.first().map_or(step, |first| first + step) % targets;
                if !fed.contains(&next) {
                    fed.push(next);
                }
            }
            if self.bound(fed, targets) >= self.targets {
                return;
            }
        }
    }

    /// A set of sources that reaches too few targets, and these; the worst one.
    fn fewest_reached(self, fed: &[Vec<usize>]) -> Option<(u32, u128)> {
        let reached: Vec<u128> = fed
            .iter()
            .map(|targets| targets.iter().fold(0, |mask, target| mask | (1 << target)))
            .collect();
        let union = |chosen: u32| {
            let chosen_of =
                |(source, mask): (usize, u128)| if chosen & (1 << source) != 0 { mask } else { 0 };
            let all = reached.iter().copied().enumerate().map(chosen_of);
            all.fold(0, |union, mask| union | mask)
        };
        (0..1_u32 << fed.len())
            .filter(|chosen| chosen.count_ones() as usize == self.sources)
            .map(|chosen| (chosen, union(chosen)))
            .min_by_key(|(_, union)| union.count_ones())
            .filter(|(_, union)| (union.count_ones() as usize) < self.targets)
    }

    /// A lower bound of the targets that are reached; exact if each target has one source, or each source one target.
    fn bound(self, fed: &[Vec<usize>], targets: usize) -> usize {
        let mut reach: Vec<usize> = fed.iter().map(Vec::len).collect();
        reach.sort_unstable();
        let mut takes = vec![0; targets];
        for target in fed.iter().flatten() {
            takes[*target] += 1;
        }
        takes.sort_unstable_by(|a, b| b.cmp(a));
        // So many pairs have the sources that reach the fewest targets. The fewest targets are reached if those are
        // the targets that take from the most sources.
        let mut pairs: usize = reach.iter().take(self.sources).sum();
        let spread = takes
            .iter()
            .take_while(|takes| {
                let open = pairs > 0;
                pairs = pairs.saturating_sub(**takes);
                open
            })
            .count();
        // The widest of any such set reaches at least as many as the widest of the sources that reach the fewest.
        let widest = self.sources.checked_sub(1).and_then(|at| reach.get(at));
        // A target that takes from more than the sources left out takes from one of them.
        let left_out = fed.len().saturating_sub(self.sources);
        let surely = takes.iter().filter(|takes| **takes > left_out).count();
        spread.max(widest.copied().unwrap_or(0)).max(surely)
    }
}

#[cfg(test)]
mod tests;
