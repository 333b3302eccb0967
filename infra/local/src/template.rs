//! Does to the template what `sam build` does: it replaces each function's source folder by its built archive. Nothing else
//! changes, and a function that it cannot replace is an error.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use toml::Table;

/// The marker that `sam build` reads and removes.
const BUILD_METHOD: &str = "    Metadata:\n      BuildMethod: rust-cargolambda\n";
const SOURCE: &str = "CodeUri: functions/";

/// The template with built archives. `archive` returns the path of a function's archive.
pub fn built(template: &str, archive: impl Fn(&str) -> PathBuf) -> anyhow::Result<String> {
    let functions = template.matches("Type: AWS::Serverless::Function\n").count();
    let methods = template.matches(BUILD_METHOD).count();
    let mut replaced = 0;
    let mut result = String::with_capacity(template.len());
    for line in template.replace(BUILD_METHOD, "").lines() {
        match line.trim_start().strip_prefix(SOURCE) {
            Some(name) => {
                let indent = &line[..line.len() - line.trim_start().len()];
                let archive = archive(name.trim_end_matches('/'));
                result.extend([indent, "CodeUri: ", &archive.display().to_string()]);
                replaced += 1;
            }
            None => result.push_str(line),
        }
        result.push('\n');
    }
    if functions == 0 || replaced != functions || methods != functions {
        return Err(anyhow!(
            "template.yaml has {functions} functions, of which {replaced} have a CodeUri under functions/ and {methods} \
             are built by cargo-lambda; give every function both"
        ));
    }
    Ok(result)
}

/// The local stage of samconfig.toml: its stack, its bucket and its parameters.
#[derive(Debug)]
pub struct LocalStage {
    /// Name of the stack.
    pub stack_name: String,
    /// The bucket that deploys upload to.
    pub bucket: String,
    parameters: Vec<(String, String)>,
}

impl LocalStage {
    /// Reads the stage from the file.
    pub fn read(samconfig: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(samconfig).with_context(|| format!("read {}", samconfig.display()))?;
        Self::parse(&text).with_context(|| format!("read the local stage in {}", samconfig.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let file: Table = text.parse()?;
        let stage = &file["local"]["deploy"]["parameters"];
        let string =
            |name: &str| stage[name].as_str().map(ToOwned::to_owned).with_context(|| format!("add {name}"));
        let overrides = stage["parameter_overrides"].as_array().context("add parameter_overrides")?;
        let parameters = overrides.iter().map(|item| {
            let (name, value) = item.as_str()?.split_once('=')?;
            Some((name.to_owned(), value.trim_matches('\'').to_owned()))
        });
        Ok(Self {
            stack_name: string("stack_name")?,
            bucket: string("s3_bucket")?,
            parameters: parameters
                .collect::<Option<_>>()
                .context("write each of parameter_overrides as NAME=VALUE")?,
        })
    }

    /// Its parameters in the form that `sam deploy` takes. `ours` replace those with the same name.
    pub fn overrides(&self, ours: &[(&str, String)]) -> anyhow::Result<Vec<String>> {
        let mut parameters = self.parameters.clone();
        for (name, value) in ours {
            let known = parameters.iter_mut().find(|(known, _)| known == name);
            known
                .with_context(|| format!("samconfig.toml does not set {name} for local; add it there"))?
                .1
                .clone_from(value);
        }
        Ok(parameters.into_iter().map(|(name, value)| format!("{name}='{value}'")).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "Resources:\n  Api:\n    Type: AWS::Serverless::Function\n    Metadata:\n      BuildMethod: \
                            rust-cargolambda\n    Properties:\n      CodeUri: functions/api/\n      Timeout: 30\n";

    #[test]
    fn only_the_code_uri_and_the_build_method_change() {
        let result = built(TEMPLATE, |name| Path::new("/built").join(name).with_extension("zip")).unwrap();
        let expected = "Resources:\n  Api:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: \
                        /built/api.zip\n      Timeout: 30\n";
        assert_eq!(result, expected);
    }

    #[test]
    fn a_function_that_would_be_deployed_from_its_source_is_refused() {
        let template = format!("{TEMPLATE}  Other:\n    Type: AWS::Serverless::Function\n");
        let error = built(&template, |name| name.into()).unwrap_err().to_string();
        assert!(error.contains("2 functions, of which 1"), "{error}");
    }

    #[test]
    fn parameters_of_the_running_stack_replace_those_of_the_file() {
        let text = "[local.deploy.parameters]\nstack_name = \"s\"\ns3_bucket = \"b\"\n\
                    parameter_overrides = [\"Stage=local\", \"Rate='rate(1 minute)'\", \"Port=1\"]\n";
        let stage = LocalStage::parse(text).unwrap();
        let overrides = stage.overrides(&[("Port", "2".to_owned())]).unwrap();
        assert_eq!(overrides, ["Stage='local'", "Rate='rate(1 minute)'", "Port='2'"]);
        assert!(stage.overrides(&[("Unknown", String::new())]).is_err());
    }
}
