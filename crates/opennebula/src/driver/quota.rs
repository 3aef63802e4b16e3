//! What an account may have.

use vmpool_driver::QuotaUse;

use crate::document::Element;

/// What is counted, as the document calls it and as people do.
const COUNTED: [(&str, &str); 4] =
    [("VMS", "vms"), ("CPU", "cpu"), ("MEMORY", "MiB of memory"), ("SYSTEM_DISK_SIZE", "MiB of disk")];

/// Reads the quotas of VMs in the document of a user; there are none while nobody set any and the user has nothing.
pub(super) fn of_user(user: &Element) -> Vec<QuotaUse> {
    let own = |key: &str| user.text_of(&format!("VM_QUOTA/VM/{key}")).parse::<f64>().ok();
    let default =
        |key: &str| user.text_of(&format!("DEFAULT_USER_QUOTAS/VM_QUOTA/VM/{key}")).parse::<f64>().ok();
    let quotas = COUNTED.iter().map(|(key, what)| {
        // -1 is the default, and -2 no limit at all.
        let limit = match own(key) {
            Some(limit) if limit != -1.0 => Some(limit),
            _ => default(key),
        };
        QuotaUse::new(*what, own(&format!("{key}_USED")), limit.filter(|limit| 0.0 <= *limit))
    });
    quotas.filter(|quota| quota.used.is_some() || quota.limit.is_some()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quotas(own: &str, default: &str) -> Vec<String> {
        let quota = |text: &str| format!("<VM_QUOTA>{text}</VM_QUOTA>");
        let default = format!("<DEFAULT_USER_QUOTAS>{}</DEFAULT_USER_QUOTAS>", quota(default));
        let user = Element::parse(&format!("<USER><ID>3</ID>{}{default}</USER>", quota(own))).unwrap();
        of_user(&user).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_quota_of_the_user_goes_before_the_default_and_negative_ones_are_none() {
        let own = "<VM><VMS>4</VMS><VMS_USED>1</VMS_USED><CPU>-1</CPU><CPU_USED>0.5</CPU_USED>\
                   <MEMORY>-2</MEMORY><MEMORY_USED>128</MEMORY_USED></VM>";
        let default = "<VM><VMS>9</VMS><CPU>8</CPU><MEMORY>1024</MEMORY></VM>";
        assert_eq!(quotas(own, default), ["1 of 4 vms", "0.5 of 8 cpu", "128 MiB of memory, no limit"]);
        assert_eq!(quotas("", default), ["at most 9 vms", "at most 8 cpu", "at most 1024 MiB of memory"]);
        assert_eq!(quotas("", ""), [""; 0]);
    }
}
