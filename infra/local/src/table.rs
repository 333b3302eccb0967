//! Plain tables for a terminal. A column is as wide as its widest cell, and numbers are aligned to the right.

/// Renders rows under a header. Columns listed in `right` are aligned to the right.
pub fn render(header: &[&str], rows: &[Vec<String>], right: &[usize]) -> String {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String]| {
        let cells: Vec<String> =
            cells
                .iter()
                .zip(&widths)
                .enumerate()
                .map(|(column, (cell, &width))| {
                    if right.contains(&column) {
                        format!("{cell:>width$}")
                    } else {
                        format!("{cell:<width$}")
                    }
                })
                .collect();
        format!("  {}", cells.join("  ").trim_end())
    };
    let header: Vec<String> = header.iter().map(ToString::to_string).collect();
    let rule: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
    let mut lines = vec![line(&header), line(&rule)];
    lines.extend(rows.iter().map(|row| line(row)));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows =
            vec![vec!["AJIO".to_owned(), "120".to_owned()], vec!["AMAZON_IN".to_owned(), "7".to_owned()]];
        let expected = "  account    orders\n  ---------  ------\n  AJIO          120\n  AMAZON_IN       7";
        assert_eq!(render(&["account", "orders"], &rows, &[1]), expected);
    }
}
