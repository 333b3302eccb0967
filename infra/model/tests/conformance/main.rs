//! The model's ledger and the platform's statements do the same. Transitions go through the public functions of dispatch, sweep and redrive on
//! PostgreSQL, as the functions' own roles, and through `model::ledger`; after each, the rows and the answers must be alike.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod pair;
mod platform;
mod transition;

use pair::Pair;
use proptest::collection::vec;
use proptest::test_runner::{
    Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestRng, TestRunner,
};
use tokio::runtime::Runtime;
use transition::{ASK_FOR_HOLDS, EVERY, OUTCOMES, Transition, WAYS, any_transition};

/// Random sequences.
const SEQUENCES: u32 = 40;
/// Transitions in one at most.
const LENGTH: usize = 30;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn every_transition_does_the_same_in_every_state_of_a_row() {
    let runtime = runtime();
    let pair = runtime.block_on(Pair::new());
    let go = |transitions: &[Transition]| {
        let outcome = runtime.block_on(pair.go(transitions));
        outcome.unwrap_or_else(|error| panic!("{transitions:?}:\n{error}"));
    };
    for way in WAYS {
        for transition in EVERY {
            go(&[way, &[transition]].concat());
        }
        for transition in ASK_FOR_HOLDS {
            go(&[way, &[Transition::Hold { hold: true }, transition]].concat());
        }
    }
    let tried = pair.tried();
    let missing: Vec<&str> = OUTCOMES.into_iter().filter(|outcome| !tried.contains(*outcome)).collect();
    assert!(missing.is_empty(), "never seen, so not compared: {missing:?}");
}

/// The sequences come from a fixed seed. One that fails is cut down to its shortest form.
#[test]
fn random_sequences_of_transitions_do_the_same() {
    let runtime = runtime();
    let pair = runtime.block_on(Pair::new());
    let config = Config {
        cases: SEQUENCES,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        max_shrink_iters: 300,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&vec(any_transition(), 1..=LENGTH), |transitions| {
        runtime.block_on(pair.go(&transitions)).map_err(TestCaseError::fail)
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
