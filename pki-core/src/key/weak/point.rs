//! Points: on their curve, in the one encoding, and of the large order (SP 800-56A 5.6.2.3; RFC 8032 5.1.3).

use crypto_bigint::{BoxedUint, ConcatenatingMul, ConcatenatingSquare, NonZero};

use super::WeakKey;
use crate::key::algorithm::Curve;

/// An uncompressed point: 04, x, y.
pub(super) fn check(curve: Curve, point: &[u8]) -> Result<(), WeakKey> {
    let (p, b) = parameters(curve);
    let octets = curve.octets();
    let (Some(x), Some(y)) = (point.get(1..=octets), point.get(1 + octets..)) else {
        return Err(WeakKey::OffCurve);
    };
    // Octets of one length compare as the numbers that they are.
    if x >= p || y >= p {
        return Err(WeakKey::PointNotCanonical);
    }
    let number = BoxedUint::from_be_slice_vartime;
    let (x, y, b) = (number(x), number(y), number(b));
    let Some(p) = number(p).to_nz().into_option() else { return Err(WeakKey::OffCurve) };
    // SEC 1 2.2.1, with a = -3: y^2 = x^3 - 3x + b, so y^2 + 3x = x^3 + b.
    let reduced = |product: BoxedUint| rest(&product, &p);
    let x_cubed = reduced(x.concatenating_square()).concatenating_mul(&x);
    let left = sum(&[&y.concatenating_square(), &x, &x, &x]);
    let right = sum(&[&x_cubed, &b]);
    if reduced(left) == reduced(right) { Ok(()) } else { Err(WeakKey::OffCurve) }
}

fn rest(number: &BoxedUint, p: &NonZero<BoxedUint>) -> BoxedUint {
    number.rem_vartime(p)
}

/// A sum with room for the carry.
fn sum(numbers: &[&BoxedUint]) -> BoxedUint {
    let precision = numbers.iter().map(|number| number.bits_precision()).max().unwrap_or(64) + 64;
    numbers.iter().fold(BoxedUint::zero_with_precision(precision), |sum, number| sum.wrapping_add(*number))
}

/// The octets of an Ed25519 key: y, the lowest octet first, and the sign of x in the highest bit.
pub(super) fn check_ed25519(point: &[u8]) -> Result<(), WeakKey> {
    let Ok(mut y) = <[u8; 32]>::try_from(point) else { return Err(WeakKey::PointNotCanonical) };
    y.reverse();
    let [highest, ..] = &mut y;
    *highest &= 0x7f;
    if y >= ED25519_PRIME {
        return Err(WeakKey::PointNotCanonical);
    }
    if ED25519_SMALL_ORDER.contains(&y) { Err(WeakKey::SmallOrder) } else { Ok(()) }
}

/// The prime of the field, and b (SP 800-186 3.2.1).
const fn parameters(curve: Curve) -> (&'static [u8], &'static [u8]) {
    match curve {
        Curve::P256 => (&P256_P, &P256_B),
        Curve::P384 => (&P384_P, &P384_B),
        Curve::P521 => (&P521_P, &P521_B),
    }
}

/// The octets of hexadecimal digits, at compile time.
#[expect(clippy::indexing_slicing, reason = "a constant that does not fit does not compile")]
const fn octets<const N: usize>(hex: &str) -> [u8; N] {
    const fn digit(character: u8) -> u8 {
        match character {
            b'0'..=b'9' => character - b'0',
            _ => character - b'a' + 10,
        }
    }
    let digits = hex.as_bytes();
    assert!(digits.len() == 2 * N);
    let mut octets = [0; N];
    let mut position = 0;
    while position < N {
        octets[position] = digit(digits[2 * position]) << 4 | digit(digits[2 * position + 1]);
        position += 1;
    }
    octets
}

const P256_P: [u8; 32] = octets("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
const P256_B: [u8; 32] = octets("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b");
const P384_P: [u8; 48] = octets(
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
);
const P384_B: [u8; 48] = octets(
    "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
);
/// 2^521 - 1.
const P521_P: [u8; 66] = {
    let mut octets = [0xff; 66];
    octets[0] = 1;
    octets
};
const P521_B: [u8; 66] = octets(
    "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e1\
     56193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
);

/// 2^255 - 19, the highest octet first.
const ED25519_PRIME: [u8; 32] = octets("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
/// y of the points whose order divides 8, the highest octet first: of order 4, 1, 2, and twice 8.
const ED25519_SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    octets("0000000000000000000000000000000000000000000000000000000000000001"),
    octets("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec"),
    octets("7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7"),
    octets("05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826"),
];
