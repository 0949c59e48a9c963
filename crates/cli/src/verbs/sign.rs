//! `dianjing sign` and `dianjing verify`: who made this bundle, and is it whole?

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use bundle::KeyPair;
use pipeline::{Lang, PipelineError};

use super::{read_text, say};
use crate::args::{Arguments, SignArguments, VerifyArguments};
use crate::exit::Usage;
use crate::show;

pub(super) fn sign(arguments: &Arguments, verb: &SignArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    bundle::check(&verb.bundle).map_err(PipelineError::from)?;
    let secret = if verb.key.exists() {
        read_text(&verb.key)?
    } else {
        let pair = new_key(&verb.key)?;
        let (secret, public) = (verb.key.display(), public_path(&verb.key));
        let public = public.display();
        let told = lang.pick(
            format!("Made a new key: keep `{secret}` secret, give `{public}` to those who check"),
            format!("已生成新密钥：请妥善保管“{secret}”，把“{public}”交给验证者"),
        );
        say(arguments, &told);
        pair.secret
    };
    let signature = bundle::sign(&verb.bundle, &secret)?;
    let path = signature_path(&verb.bundle);
    store::write_atomic(&path, |out| out.write_all(signature.as_bytes()))?;
    if arguments.json {
        show::json(&serde_json::json!({ "signature": path }))?;
    }
    let shown = path.display();
    say(arguments, &lang.pick(format!("Signed: {shown}"), format!("已签名：{shown}")));
    Ok(ExitCode::SUCCESS)
}

/// Makes a key pair; the secret half is readable by its owner only.
fn new_key(path: &Path) -> anyhow::Result<KeyPair> {
    let public = public_path(path);
    if public == path {
        let path = path.display();
        return Err(Usage {
            en: format!("`{path}` is the name of a public key; name the secret one, such as `me.key`"),
            zh: format!("“{path}”是公钥的名称；请给出私钥的名称，例如 me.key"),
        }
        .into());
    }
    if public.exists() {
        let (secret, public) = (path.display(), public.display());
        return Err(Usage {
            en: format!(
                "there is no secret key `{secret}`, but `{public}` exists; correct --key, or name a new one"
            ),
            zh: format!("没有私钥“{secret}”，但“{public}”已存在；请更正 --key，或换一个名称"),
        }
        .into());
    }
    let pair = KeyPair::generate()?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("cannot write `{}`", path.display()))?;
    file.write_all(pair.secret.as_bytes())?;
    store::write_atomic(&public, |out| out.write_all(pair.public.as_bytes()))?;
    Ok(pair)
}

fn public_path(secret: &Path) -> PathBuf {
    secret.with_extension("pub")
}

pub(super) fn verify(arguments: &Arguments, verb: &VerifyArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    let identity = bundle::check(&verb.bundle).map_err(PipelineError::from)?.identity();
    say(
        arguments,
        &lang
            .pick(format!("Every byte is as it was written ({identity})"), format!("内容完整（{identity}）")),
    );
    if let Some(key) = &verb.key {
        let signature = read_text(&signature_path(&verb.bundle))?;
        bundle::verify(&verb.bundle, &signature, &read_text(key)?)?;
        say(arguments, lang.pick("The signature fits the key", "签名与公钥相符"));
    }
    if arguments.json {
        show::json(&serde_json::json!({ "identity": identity.to_string(), "signed": verb.key.is_some() }))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `parts.djm` is signed in `parts.djm.minisig`.
fn signature_path(bundle: &Path) -> PathBuf {
    let mut name = bundle.as_os_str().to_owned();
    name.push(".minisig");
    PathBuf::from(name)
}
