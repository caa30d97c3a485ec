//! Columns for people: as wide as their widest cell, two blanks between.

/// A table with a header line.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(header: &[&'static str]) -> Self {
        Self { header: header.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The table as text, each line ended; nothing at all without rows.
    pub(crate) fn render(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let header: Vec<String> = self.header.iter().map(|name| name.to_uppercase()).collect();
        let lines: Vec<&Vec<String>> = std::iter::once(&header).chain(&self.rows).collect();
        let columns = lines.iter().map(|line| line.len()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                lines
                    .iter()
                    .filter_map(|line| line.get(column))
                    .map(|cell| printable(cell).chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for line in lines {
            let mut written = String::new();
            for (cell, width) in line.iter().zip(&widths) {
                let cell = printable(cell);
                written.push_str(&cell);
                let padding = (width + 2).saturating_sub(cell.chars().count());
                written.extend(std::iter::repeat_n(' ', padding));
            }
            text.push_str(written.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Names come from certificates that others wrote: nothing in them may steer the terminal.
pub(crate) fn printable(text: &str) -> String {
    if text.chars().any(char::is_control) {
        text.chars()
            .flat_map(|c| {
                let escaped: Vec<char> = if c.is_control() { c.escape_default().collect() } else { vec![c] };
                escaped
            })
            .collect()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_nothing_trails() {
        let mut table = Table::new(&["name", "status"]);
        table.row(vec!["a".to_owned(), "valid".to_owned()]);
        table.row(vec!["grade-api".to_owned(), "revoked\u{1b}".to_owned()]);
        assert_eq!(table.render(), "NAME       STATUS\na          valid\ngrade-api  revoked\\u{1b}\n");
        assert_eq!(Table::new(&["name"]).render(), "");
    }
}
