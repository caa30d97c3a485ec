//! Links the release binary statically where the system has what that needs.
//!
//! A command that issues one certificate works for two milliseconds; loading shared libraries and relocating itself
//! would cost it another half. `-C target-feature=+crt-static` cannot be asked for here: without `--target` it
//! would reach procedural macros, which are shared libraries. So the linker is told: `-static`, and for the
//! libraries that rustc names as shared ones, linker scripts that name the archives instead.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CC");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let native = env::var("TARGET").ok() == env::var("HOST").ok();
    let gnu_linux = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if native && gnu_linux && is("PROFILE", "release") {
        // Without the archives (some distributions package them apart) the binary is a shared one, and works.
        let _ = link_statically();
    }
}

fn link_statically() -> Option<()> {
    let out = env::var("OUT_DIR").ok()?;
    let out = Path::new(&out);
    let (c, m) = (archive("libc.a")?, archive("libm.a")?);
    let (unwind, gcc) = (archive("libgcc_eh.a")?, archive("libgcc.a")?);
    for (name, group) in [
        ("libgcc_s.a", format!("{unwind} {gcc} {c}")),
        ("libc.a", format!("{c} {unwind} {gcc}")),
        ("libm.a", format!("{m} {c}")),
    ] {
        fs::write(out.join(name), format!("GROUP ( {group} )\n")).ok()?;
    }
    // Empty archives since glibc 2.34, whose contents are in libc.a.
    for name in ["libdl.a", "libpthread.a", "librt.a", "libutil.a"] {
        if let Some(path) = archive(name) {
            fs::write(out.join(name), format!("GROUP ( {path} {c} )\n")).ok()?;
        }
    }
    println!("cargo::rustc-link-arg-bins=-L{}", out.display());
    println!("cargo::rustc-link-arg-bins=-static");
    println!("cargo::rustc-link-arg-bins=-no-pie");
    Some(())
}

/// Where the C compiler finds an archive; it answers the bare name if it finds none.
fn archive(name: &str) -> Option<String> {
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let output = Command::new(compiler).arg(format!("-print-file-name={name}")).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    Path::new(&path).is_absolute().then_some(path)
}
