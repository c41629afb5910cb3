//! Which addresses are public, by IANA's special-purpose registries.
//! <https://www.iana.org/assignments/iana-ipv4-special-registry>, <https://www.iana.org/assignments/iana-ipv6-special-registry>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Public,
    /// Reached only where the operator allows it.
    Private(&'static str),
    /// Of no use to a pipeline, or dangerous: clouds hand out credentials on link-local addresses.
    Never(&'static str),
}

use Verdict::{Never, Private, Public};

pub fn verdict(address: IpAddr) -> Verdict {
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => v6(address),
    }
}

fn v4(address: Ipv4Addr) -> Verdict {
    match address.octets() {
        [127, ..] => Private("loopback"),
        [10, ..] | [192, 168, ..] => Private("private"),
        [172, second, ..] if second & 0xf0 == 16 => Private("private"),
        [100, second, ..] if second & 0xc0 == 64 => Private("of a carrier's shared network"),
        [169, 254, ..] => Never("link-local"),
        [0, ..] => Never("unspecified"),
        [192, 0, 0, _] => Never("reserved"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Never("for documentation only"),
        [192, 88, 99, _] => Never("reserved"),
        [198, 18 | 19, ..] => Never("for benchmarks only"),
        [224..=239, ..] => Never("multicast"),
        [240..=255, ..] => Never("reserved"),
        // The platform services of another cloud, reachable from inside it only.
        [168, 63, 129, 16] => Never("a cloud's own service"),
        _ => Public,
    }
}

fn v6(address: Ipv6Addr) -> Verdict {
    if let Some(embedded) = embedded_v4(address) {
        // A public address in disguise has no use either, except behind a translator, which DNS64 makes common.
        return v4(embedded);
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Never("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Private("loopback"),
        // Amazon's metadata service and its neighbours.
        [0xfd00, 0x0ec2, ..] => Never("a cloud's own service"),
        [first, ..] if first & 0xfe00 == 0xfc00 => Private("private"),
        [first, ..] if first & 0xffc0 == 0xfe80 => Never("link-local"),
        [first, ..] if first & 0xffc0 == 0xfec0 => Never("site-local"),
        [first, ..] if first & 0xff00 == 0xff00 => Never("multicast"),
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Never("for documentation only"),
        // Protocol assignments: Teredo, ORCHID, benchmarks.
        [0x2001, 0..=0x01ff, ..] => Never("reserved"),
        // Global unicast.
        [first, ..] if first & 0xe000 == 0x2000 => Public,
        _ => Never("reserved"),
    }
}

/// The IPv4 address that some gateway or kernel would reach for this IPv6 address.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Some(Ipv4Addr::from((high as u32) << 16 | low as u32));
    match address.segments() {
        // Compatible (deprecated), mapped and translated forms; `::` and `::1` are not of them.
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 || low > 1 => v4(high, low),
        [0, 0, 0, 0, 0, 0xffff, high, low] => v4(high, low),
        [0, 0, 0, 0, 0xffff, 0, high, low] => v4(high, low),
        // NAT64, well-known and local-use prefixes.
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x0064, 0xff9b, 1, _, _, _, high, low] => v4(high, low),
        // 6to4.
        [0x2002, high, low, ..] => v4(high, low),
        // Teredo: the client's address, inverted.
        [0x2001, 0, _, _, _, _, high, low] => v4(!high, !low),
        // ISATAP.
        [_, _, _, _, 0x0000 | 0x0200, 0x5efe, high, low] => v4(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_public(text: &str) -> bool {
        verdict(text.parse().unwrap()) == Public
    }

    #[test]
    fn public_addresses_pass() {
        for text in [
            "1.1.1.1",
            "93.184.216.34",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(is_public(text), "{text}");
        }
    }

    #[test]
    fn special_ipv4_networks_do_not() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.1.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
        ] {
            assert!(!is_public(text), "{text}");
        }
    }

    #[test]
    fn special_ipv6_networks_do_not() {
        for text in [
            "::",
            "::1",
            "fc00::1",
            "fd00:ec2::254",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "2001:2::1",
            "2001:20::1",
            "100::1",
            "4000::1",
            "5f00::1",
        ] {
            assert!(!is_public(text), "{text}");
        }
    }

    #[test]
    fn ipv4_addresses_inside_ipv6_count_as_themselves() {
        for text in [
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:0:192.168.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::10.0.0.1",
            "2002:7f00:1::1",
            "2002:a9fe:a9fe::1",
            "2001:0:0:0:0:0:80ff:fffe",
            "2606:4700::5efe:10.0.0.1",
            "2606:4700::200:5efe:127.0.0.1",
        ] {
            assert!(!is_public(text), "{text}");
        }
        assert!(is_public("64:ff9b::8.8.8.8"));
    }
}
