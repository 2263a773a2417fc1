//! Exact fractions of integers, as far as 128 bits go.

/// A fraction in lowest terms with a positive denominator, so that equal values are equal fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rational {
    numerator: i128,
    denominator: i128,
}

impl Rational {
    /// The number zero.
    pub const ZERO: Self = Self {
        numerator: 0,
        denominator: 1,
    };

    /// A fraction; `None` for a zero denominator.
    pub fn new(numerator: i128, denominator: i128) -> Option<Self> {
        if denominator == 0 || numerator == i128::MIN || denominator == i128::MIN {
            return None;
        }
        let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs());
        let divisor = i128::try_from(divisor).ok()? * denominator.signum();
        Some(Self {
            numerator: numerator / divisor,
            denominator: denominator / divisor,
        })
    }

    /// A number of digits with so many of them after the point; `None` where 128 bits do not hold it.
    pub fn from_digits(digits: impl Iterator<Item = u8>, decimals: u32) -> Option<Self> {
        let mut value = 0_i128;
        for digit in digits {
            value = value
                .checked_mul(10)?
                .checked_add(i128::from(digit - b'0'))?;
        }
        Self::new(value, 10_i128.checked_pow(decimals)?)
    }

    /// Whether it is a whole number.
    pub fn is_whole(self) -> bool {
        self.denominator == 1
    }

    /// Whether it lies between 0 and 1, both excluded.
    pub fn is_proper(self) -> bool {
        0 < self.numerator && self.numerator < self.denominator
    }

    /// The number with the other sign.
    #[must_use]
    pub fn negated(self) -> Self {
        Self {
            numerator: -self.numerator,
            ..self
        }
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Option<Self> {
        let left = self.numerator.checked_mul(other.denominator)?;
        let right = other.numerator.checked_mul(self.denominator)?;
        Self::new(
            left.checked_add(right)?,
            self.denominator.checked_mul(other.denominator)?,
        )
    }

    /// The product.
    pub fn times(self, other: Self) -> Option<Self> {
        Self::new(
            self.numerator.checked_mul(other.numerator)?,
            self.denominator.checked_mul(other.denominator)?,
        )
    }

    /// The quotient; `None` for a division by zero.
    pub fn over(self, other: Self) -> Option<Self> {
        self.times(Self::new(other.denominator, other.numerator)?)
    }

    /// A whole power.
    pub fn power(self, exponent: i32) -> Option<Self> {
        let size = exponent.unsigned_abs();
        let power = Self::new(
            self.numerator.checked_pow(size)?,
            self.denominator.checked_pow(size)?,
        )?;
        if exponent < 0 {
            Self::new(1, 1)?.over(power)
        } else {
            Some(power)
        }
    }
}

fn gcd(a: u128, b: u128) -> u128 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}
