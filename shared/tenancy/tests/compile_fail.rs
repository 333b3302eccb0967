//! Misuse that must not build. Each file in `compile_fail/` is one case, with the compiler's output beside it.

#[test]
fn misuse_does_not_build() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
