//! Background actors, brought into a scene.

use gupcheck_core::boot::{Boot, Mapped};
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::Folio;
use gupcheck_core::mutators::{
    age_and_touch, freeze_for_a_while, lru_add_drain, speculative_pfn_walk,
};
use gupcheck_core::noise::Noise;

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

    /// What a CPU for each of them is called, and does: whether there was anything to do.
    pub(crate) fn cpus(
        self,
    ) -> impl Iterator<
        Item = (
            &'static str,
            impl Fn(&Cpu<'_>) -> bool + Send + Sync + 'static,
        ),
    > {
        let place = self.place;
        self.noise.each().map(move |one| {
            let acts = move |cpu: &Cpu<'_>| place.is_some_and(|place| act(cpu, one, place));
            (Self::name(one), acts)
        })
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

fn act(cpu: &Cpu<'_>, one: Noise, Mapped { mm, addr, pfn }: Mapped) -> bool {
    match one {
        Noise::PFN => speculative_pfn_walk(cpu, pfn),
        Noise::LRU => {
            lru_add_drain(cpu, Folio::of(cpu.machine().page(pfn)));
            true
        }
        Noise::AD => age_and_touch(cpu, pfn, mm, addr),
        _ => freeze_for_a_while(cpu, pfn),
    }
}
