//! Dates in every form that reports are known to have, and the decision about day and month.

use super::*;

fn read(text: &str) -> Option<String> {
    parse_date(text, Some(DateOrder::DayFirst)).map(|at| at.to_rfc3339())
}

#[test]
fn every_form_means_the_same_instant() {
    for text in [
        "Fri Aug 14 16:43:42 IST 2026",
        "2026-08-14 16:43:42",
        "2026-08-14T16:43:42+05:30",
        "2026-08-14T11:13:42Z",
        "2026-08-14 11:13:42 UTC",
        "14-Aug-2026 16:43:42",
        "14 August 2026 16:43:42",
        "Aug 14, 2026 16:43:42",
        "Aug 14, 2026 4:43:42 PM",
        "14/08/2026 16:43:42",
        "14.08.2026 16:43:42",
        "'14/08/2026 04:43:42PM",
        "14.08.2026 11:13:42 UTC",
        "2026-08-14 16:43:42.0",
        "14/8/26 16:43:42",
    ] {
        assert_eq!(read(text).as_deref(), Some("2026-08-14T11:13:42+00:00"), "{text}");
    }
}

#[test]
fn a_date_without_a_time_is_midnight_in_india() {
    for text in ["2026-08-14", "14-Aug-2026", "Aug 14, 2026", "14/08/2026", "Fri, 14 Aug 2026"] {
        assert_eq!(read(text).as_deref(), Some("2026-08-13T18:30:00+00:00"), "{text}");
    }
}

#[test]
fn what_is_no_date_is_none() {
    for text in [
        "",
        "soon",
        "45880",
        "2026-13-01",
        "31/02/2026",
        "2026-08-14 25:00",
        "14-Foo-2026",
        "1999-01-01",
        "14/08",
        "2026-08-14 10:00 XYZ",
        "14/08/126",
        "१४/०८/२०२६",
        "Mon",
        "Aug",
        "2026-08-14 2026-08-14",
        "99999999999999",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
    assert_eq!(parse_date("14/08/2026", None), None);
}

fn decided(cells: &[&str], said: Option<DateOrder>) -> Result<Option<DateOrder>, String> {
    let mut seen = DatesSeen::default();
    for (row, cell) in cells.iter().enumerate() {
        seen.look(cell, row as u64 + 2);
    }
    seen.decide(said).map_err(|error| error.to_string())
}

#[test]
fn one_day_after_the_twelfth_decides_for_all() {
    assert_eq!(decided(&["03/04/2026", "25/04/2026"], None), Ok(Some(DateOrder::DayFirst)));
    assert_eq!(decided(&["03/04/2026", "04/25/2026"], None), Ok(Some(DateOrder::MonthFirst)));
    assert_eq!(decided(&["2026-04-03", "05/05/2026", "14-Aug-2026", ""], None), Ok(None));
}

#[test]
fn an_order_that_cannot_be_known_must_be_said() {
    let problem = decided(&["2026-04-03", "03/04/2026"], None).unwrap_err();
    assert!(problem.contains("row 3") && problem.contains("say which is meant"), "{problem}");
    let said = Some(DateOrder::MonthFirst);
    assert_eq!(decided(&["03/04/2026"], said), Ok(said));
}

#[test]
fn an_order_that_the_dates_contradict_is_refused() {
    let problem = decided(&["25/04/2026", "04/25/2026"], None).unwrap_err();
    assert!(problem.contains("row 2") && problem.contains("row 3"), "{problem}");
    let problem = decided(&["25/04/2026"], Some(DateOrder::MonthFirst)).unwrap_err();
    assert!(problem.contains("row 2") && problem.contains("that was said"), "{problem}");
}
