//! Sorting in pieces gives what sorting at once gives, and reading may begin at any group.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::kind::Kind;
use crate::recognise::Columns;

fn table() -> Arc<TableInfo> {
    let columns = Columns::of(&["key", "text"]);
    Arc::new(TableInfo {
        kind: Kind::MeeshoOrders,
        label: "".into(),
        header_row: 1,
        columns: Arc::new(columns),
    })
}

fn sorted(rows: &[(Option<String>, String)], memory: usize) -> Groups {
    let mut sorter = Sorter::with_memory(memory).unwrap();
    for (at, (key, text)) in rows.iter().enumerate() {
        let cells = StringRecord::from(vec![key.clone().unwrap_or_default(), text.clone()]);
        sorter.add(key.as_deref(), at as u64 + 2, &cells).unwrap();
    }
    sorter.into_groups(table()).unwrap()
}

fn numbers(groups: &[Group]) -> Vec<Vec<u64>> {
    groups.iter().map(|group| group.rows.iter().map(Row::number).collect()).collect()
}

proptest! {
    #[test]
    fn every_row_is_in_the_group_of_its_key_and_in_order(
        rows in prop::collection::vec((prop::option::weighted(0.9, "[a-c]{0,2}"), "[a-z]{0,30}"), 0..200),
        memory in prop_oneof![Just(SORT_MEMORY), 100..2_000_usize],
        from in 0..60_u64,
        most in 1..20_usize,
    ) {
        let groups = sorted(&rows, memory);
        let mut expected: BTreeMap<(bool, Option<&str>, u64), Vec<u64>> = BTreeMap::new();
        for (at, (key, _)) in rows.iter().enumerate() {
            let number = at as u64 + 2;
            let alone = if key.is_some() { 0 } else { number };
            expected.entry((key.is_some(), key.as_deref(), alone)).or_default().push(number);
        }
        let expected: Vec<Vec<u64>> = expected.into_values().collect();
        prop_assert_eq!(groups.len(), expected.len() as u64);
        prop_assert_eq!(groups.is_empty(), expected.is_empty());
        let all = groups.read(0, usize::MAX).unwrap();
        prop_assert_eq!(&numbers(&all), &expected);
        let start = usize::try_from(from).unwrap().min(expected.len());
        let end = (start + most).min(expected.len());
        prop_assert_eq!(numbers(&groups.read(from, most).unwrap()), &expected[start..end]);
    }
}

#[test]
fn reading_begins_at_any_of_many_groups() {
    let rows: Vec<_> = (0..1_000).map(|at| (Some(format!("{at:04}")), String::new())).collect();
    for memory in [SORT_MEMORY, 5_000] {
        let groups = sorted(&rows, memory);
        for from in [0, 1, 255, 256, 257, 511, 512, 999] {
            assert_eq!(numbers(&groups.read(from, 1).unwrap()), [[from + 2]], "{from}");
        }
        assert!(groups.read(1_000, 1).unwrap().is_empty() && groups.read(u64::MAX, 1).unwrap().is_empty());
    }
}

#[test]
fn a_group_of_too_many_rows_is_marked_and_not_read_whole() {
    let rows: Vec<_> = (0..MAX_GROUP_ROWS + 5).map(|_| (Some("one".to_owned()), String::new())).collect();
    let groups = sorted(&rows, 5_000).read(0, 10).unwrap();
    assert_eq!((groups.len(), groups[0].rows.len(), groups[0].is_too_large), (1, MAX_GROUP_ROWS, true));
    let long = "x".repeat(MAX_GROUP / 2);
    let rows: Vec<_> = (0..3).map(|_| (Some("one".to_owned()), long.clone())).collect();
    let groups = sorted(&rows, SORT_MEMORY).read(0, 10).unwrap();
    assert_eq!((groups[0].rows.len(), groups[0].is_too_large), (1, true));
}
