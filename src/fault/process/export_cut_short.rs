//! Export cut short: the export is whole, and its download is not, which need not show.

use super::exporting::{Exporting, accept, is_for, trial};
use crate::fault::{Fault, Ground, Injection, Mode, Onset, Parameter, Trial, only_now, parameter};
use crate::{
    emulator::{World, convex::condition::Cut},
    model::{event::Proof, plan::ServiceKind, scenario::FaultSpec, units::Percent},
};

/// Entry in the catalogue.
pub(super) struct ExportCutShort;

const NAME: &str = "export-cut-short";

impl Fault for ExportCutShort {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "downloads of an export end before the export does"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "with-length", summary: "the connection closes before the length that was told" },
            Mode { name: "without-length", summary: "no length is told, and the download ends as if it were whole" },
        ]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "after", summary: "share of the download that arrives; 50%" }]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        is_for(kind)
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn meets_commands(&self, _mode: &str, on_deployments: bool) -> bool {
        on_deployments
    }

    fn example(&self) -> &'static str {
        "- fault: export-cut-short\n  mode: without-length\n  when: { before-backup-of-day: 4 }\n  with: { after: 90% }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        trial(ground, NAME, mode)
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        accept(spec)?;
        let after = parameter::<Percent>(spec, "after")?.unwrap_or(Percent(50));
        if after == Percent(100) {
            return Err(format!("a download of which `after` 100% arrives is whole; fault `{NAME}` needs less"));
        }
        let cut = Cut { after, length_told: spec.mode == "with-length" };
        Ok(Box::new(CutShort { exporting: Exporting::of(spec), cut }))
    }
}

struct CutShort {
    exporting: Exporting,
    cut: Cut,
}

impl Injection for CutShort {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let cut = self.cut;
        self.exporting.strike(world, |condition| condition.download_cut = Some(cut))?;
        let how = if cut.length_told { "" } else { ", as if they were whole," };
        Ok(format!("downloads of exports end{how} after {} of them", cut.after))
    }

    fn proof(&self, _: &World) -> Proof {
        self.exporting.met(|struck| struck.downloads_cut, "ended too soon")
    }

    fn heal(&mut self, _: &World) -> bool {
        self.exporting.heal(|now, before| now.download_cut = before.download_cut)
    }
}
