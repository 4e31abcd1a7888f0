//! Aligned columns for people.

/// Rows under a header; columns are as wide as their widest cell.
pub struct TextTable {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

#[derive(Debug, Clone, Copy)]
struct Column {
    title: &'static str,
    right: bool,
}

impl TextTable {
    /// A title that starts with `>` is aligned to the right, as figures are.
    pub fn new(titles: &[&'static str]) -> Self {
        let columns = titles.iter().map(|&title| match title.strip_prefix('>') {
            Some(title) => Column { title, right: true },
            None => Column {
                title,
                right: false,
            },
        });
        Self {
            columns: columns.collect(),
            rows: Vec::new(),
        }
    }

    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        assert_eq!(N, self.columns.len(), "a row has a cell for each column");
        self.rows.push(cells.into());
    }

    pub fn render(&self) -> String {
        self.render_indented("")
    }

    pub fn render_indented(&self, indent: &str) -> String {
        let header: Vec<String> = self.columns.iter().map(|c| c.title.to_owned()).collect();
        let lines = || std::iter::once(&header).chain(&self.rows);
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|at| {
                lines()
                    .map(|row| row[at].chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for row in lines() {
            let cells = row.iter().zip(&widths).zip(&self.columns);
            let cells = cells.map(|((cell, &width), column)| {
                if column.right {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            text.push_str(&format!("{indent}{}\n", line.trim_end()));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn columns_line_up_and_figures_stand_right() {
        let mut table = TextTable::new(&["NAME", ">SIZE", "BASE"]);
        table.row(["a".into(), "1.0 GiB".into(), "-".into()]);
        table.row(["longer".into(), "5 B".into(), String::new()]);
        expect![[r#"
            NAME       SIZE  BASE
            a       1.0 GiB  -
            longer      5 B
        "#]]
        .assert_eq(&table.render());
    }
}
