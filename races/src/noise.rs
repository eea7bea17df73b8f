//! Background actors, brought into a scene.

use gupcheck_core::boot::{Boot, Mapped};
use gupcheck_core::folio::Folio;
use gupcheck_core::mutators::{
    age_and_touch, freeze_for_a_while, lru_add_drain, speculative_pfn_walk,
};
use gupcheck_core::noise::Noise;

use crate::scene::Scene;

/// Who runs in the background of a scene, and at what they look: the first page that is mapped when the CPUs start.
/// Where none is, they have nothing to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Background {
    noise: Noise,
    place: Option<Mapped>,
}

impl Background {
    /// Of the kernel that `boot` boots. A page that is in a batch for the LRU has a reference from now on.
    pub(crate) fn of(boot: &mut Boot) -> Self {
        let noise = boot.kernel().noise;
        let place = boot.first_mapped();
        if let (Some(mapped), true) = (place, noise.contains(Noise::LRU)) {
            boot.take_reference(mapped.pfn);
        }
        Self { noise, place }
    }

    /// Adds a CPU for each of them.
    pub(crate) fn join(self, scene: &mut Scene) {
        for one in self.noise.each() {
            let place = self.place;
            scene.cpu(Self::name(one), move |cpu| {
                let Some(Mapped { mm, addr, pfn }) = place else {
                    return false;
                };
                match one {
                    Noise::PFN => speculative_pfn_walk(cpu, pfn),
                    Noise::LRU => {
                        lru_add_drain(cpu, Folio::of(cpu.machine().page(pfn)));
                        true
                    }
                    Noise::AD => age_and_touch(cpu, pfn, mm, addr),
                    _ => freeze_for_a_while(cpu, pfn),
                }
            });
        }
    }

    fn name(one: Noise) -> &'static str {
        match one {
            Noise::PFN => "pfn walker",
            Noise::LRU => "lru batch",
            Noise::AD => "aging and hardware",
            _ => "freezer",
        }
    }
}
