//! Misuse that must not build. Each file in `compile_fail/` is one, with the compiler's answer beside it.

#[test]
fn misuse_does_not_build() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
