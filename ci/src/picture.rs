//! What an execution is written to, beside the text: a page, a drawing, data.

use std::fs;
use std::path::PathBuf;

use gupcheck_trace::{Document, Finding, chrome, html, svg};

use crate::error::Error;

/// The files that somebody asked for.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Pictures {
    /// Write a page: lanes and memory, to be stepped through with the arrow keys
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the lanes as a drawing
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the execution as JSON: every step, cell and value (docs/json.md)
    #[arg(long, value_name = "FILE")]
    steps: Option<PathBuf>,
    /// Write the execution in Chrome's trace format, which Perfetto shows too
    #[arg(long, value_name = "FILE")]
    chrome: Option<PathBuf>,
}

impl Pictures {
    /// Whether no file was asked for.
    pub(crate) const fn is_empty(&self) -> bool {
        self.html.is_none() && self.svg.is_none() && self.steps.is_none() && self.chrome.is_none()
    }

    /// Writes a finding to each of them, and returns which they are.
    pub(crate) fn write(&self, finding: &Finding<'_>, detail: bool) -> Result<Vec<PathBuf>, Error> {
        let steps = |finding: &Finding<'_>| {
            serde_json::to_string_pretty(&Document::of(finding)).map_err(std::io::Error::from)
        };
        let mut written = Vec::new();
        let mut write = |path: &Option<PathBuf>, text: &dyn Fn() -> std::io::Result<String>| {
            let Some(path) = path else { return Ok(()) };
            let done = text().and_then(|text| fs::write(path, text));
            written.push(path.clone());
            done.map_err(|error| Error::Unwritable {
                path: path.clone(),
                error,
            })
        };
        write(&self.html, &|| Ok(html(finding)))?;
        write(&self.svg, &|| Ok(svg(finding, detail)))?;
        write(&self.steps, &|| steps(finding))?;
        write(&self.chrome, &|| Ok(chrome(finding)))?;
        Ok(written)
    }
}
