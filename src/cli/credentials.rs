//! Keys to a user's buckets, from where AWS tools keep them: the environment first, then a profile of the credentials
//! file. <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html>

use std::{env, fs, path::PathBuf};

use crate::{
    assembly::buckets::Keys,
    error::{Error, Result},
};

/// Largest credentials file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Finds the keys.
///
/// # Errors
/// When there are none. No error holds a key.
pub(super) fn find() -> Result<Keys> {
    if let (Some(access_key), Some(secret_key)) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
        return Ok(Keys { access_key, secret_key, session_token: variable("AWS_SESSION_TOKEN") });
    }
    let profile = variable("AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
    let path = match variable("AWS_SHARED_CREDENTIALS_FILE") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(variable("HOME").unwrap_or_default()).join(".aws/credentials"),
    };
    let none = |why: String| {
        let what = "there is no key to read the buckets with";
        let help = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; a key that may read is enough";
        Error::new(what).because(why).help(help)
    };
    let readable = fs::metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_BYTES);
    let text = if readable { fs::read_to_string(&path).ok() } else { None };
    let text = text.ok_or_else(|| none(format!("{} cannot be read", path.display())))?;
    of_profile(&text, &profile).ok_or_else(|| none(format!("{} has no keys of profile `{profile}`", path.display())))
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The keys of a profile in a credentials file.
fn of_profile(text: &str, profile: &str) -> Option<Keys> {
    let (mut inside, mut access_key, mut secret_key, mut session_token) = (false, None, None, None);
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = name.trim() == profile;
        } else if let Some((name, value)) = line.split_once('=').filter(|_| inside) {
            let value = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
            match name.trim() {
                "aws_access_key_id" => access_key = value,
                "aws_secret_access_key" => secret_key = value,
                "aws_session_token" => session_token = value,
                _ => {}
            }
        }
    }
    Some(Keys { access_key: access_key?, secret_key: secret_key?, session_token })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_has_its_own_keys_and_no_other_ones() {
        let text = "[default]\naws_access_key_id = A\n# aws_secret_access_key = no\naws_secret_access_key=B\n\n\
                    [ backup ]\naws_access_key_id=C\naws_secret_access_key = D=\naws_session_token = T\n[half]\n\
                    aws_access_key_id = E\n";
        let keys = |profile| of_profile(text, profile).map(|k| (k.access_key, k.secret_key, k.session_token));
        assert_eq!(keys("default"), Some(("A".into(), "B".into(), None)));
        assert_eq!(keys("backup"), Some(("C".into(), "D=".into(), Some("T".into()))));
        assert_eq!((keys("half"), keys("none")), (None, None));
    }
}
