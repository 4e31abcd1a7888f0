//! Random CQL literals of a type: near each other, so that they meet, and now and then far away.

/// The same everywhere.
pub struct Random(pub u64);

impl Random {
    /// A number from 0 to `bound - 1`.
    pub fn below(&mut self, bound: u64) -> u64 {
        // Knuth's MMIX.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// Around 0, or anything of so many bits.
    fn integer(&mut self, bits: u32) -> i64 {
        match self.below(3) {
            0 => {
                let any = (self.below(1 << 31) << 33) | (self.below(1 << 31) << 2);
                (any as i64) >> (64 - bits)
            }
            _ => self.below(11) as i64 - 5,
        }
    }

    fn text(&mut self) -> String {
        let len = self.below(4);
        (0..len)
            .map(|_| ['a', 'b', 'z'][self.below(3) as usize])
            .collect()
    }
}

/// A literal of the type.
pub fn literal(cql_type: &str, random: &mut Random) -> String {
    match cql_type {
        "ascii" | "text" => format!("'{}'", random.text()),
        "bigint" => random.integer(64).to_string(),
        "blob" => format!(
            "0x{}",
            "7f80ff00"
                .get(..2 * random.below(5) as usize)
                .unwrap_or("80")
        ),
        "boolean" => (random.below(2) == 0).to_string(),
        "date" => format!("'{}-01-0{}'", 1960 + random.below(30), 1 + random.below(9)),
        "decimal" => decimal(random),
        "double" | "float" => floating(random),
        "inet" => inet(random),
        "int" => random.integer(32).to_string(),
        "smallint" => random.integer(16).to_string(),
        "time" => format!("'{:02}:00:0{}'", random.below(24), random.below(10)),
        // Before 1970, too.
        "timestamp" => random.integer(50).to_string(),
        "timeuuid" => uuid('1', random),
        "tinyint" => random.integer(8).to_string(),
        "uuid" => {
            let version = ['1', '4', '5'][random.below(3) as usize];
            uuid(version, random)
        }
        "varint" => format!(
            "{}{}",
            random.integer(40),
            "0".repeat(random.below(25) as usize)
        ),
        "frozen<list<decimal>>" => format!("[{}]", several(decimal, random)),
        "frozen<set<text>>" => format!("{{{}}}", several(|r| literal("text", r), random)),
        "frozen<map<text, int>>" => {
            let entry = |r: &mut Random| format!("'{}': {}", r.text(), r.integer(32));
            format!("{{{}}}", several(entry, random))
        }
        "frozen<tuple<int, text>>" => format!(
            "({}, {})",
            nullable("int", random),
            nullable("text", random)
        ),
        "frozen<pair>" => {
            let (number, name) = (nullable("int", random), nullable("text", random));
            format!("{{number: {number}, name: {name}}}")
        }
        "vector<float, 3>" => {
            let [a, b, c] = std::array::from_fn(|_| random.integer(10) as f32 / 2.0);
            format!("[{a:?}, {b:?}, {c:?}]")
        }
        other => panic!("no literals of {other}"),
    }
}

fn decimal(random: &mut Random) -> String {
    let exponent = random.below(9) as i64 - 4;
    format!("{}E{exponent}", random.integer(32))
}

fn floating(random: &mut Random) -> String {
    match random.below(12) {
        0 => "NaN".to_owned(),
        1 => "Infinity".to_owned(),
        2 => "-Infinity".to_owned(),
        3 => "-0.0".to_owned(),
        _ => format!("{:?}", random.integer(20) as f32 / 4.0),
    }
}

fn inet(random: &mut Random) -> String {
    match random.below(3) {
        0 => format!("'fe80::{}'", random.below(20)),
        _ => format!("'{}.0.0.{}'", 1 + random.below(250), random.below(4)),
    }
}

fn uuid(version: char, random: &mut Random) -> String {
    let (low, high, node) = (random.below(4), random.below(4), random.below(256));
    format!("{low:08x}-000{high}-{version}00{high}-80{node:02x}-{node:02x}0000000080")
}

fn several(mut one: impl FnMut(&mut Random) -> String, random: &mut Random) -> String {
    let count = 1 + random.below(3);
    let all: Vec<String> = (0..count).map(|_| one(random)).collect();
    all.join(", ")
}

fn nullable(cql_type: &str, random: &mut Random) -> String {
    match random.below(4) {
        0 => "null".to_owned(),
        _ => literal(cql_type, random),
    }
}
