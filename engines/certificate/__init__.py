"""The no-repaint certificate: proof on given candles that no output of an engine knows more than it may.

`checking` runs the checks over any function of candles, `altering` makes the histories they compare with,
`verdicts` holds what they found, `outputs` turns this desk's engines into such functions.
"""

from engines.certificate.checking import Compute, Outputs, certify
from engines.certificate.verdicts import Certificate, Failure, Verdict

__all__ = ["Certificate", "Compute", "Failure", "Outputs", "Verdict", "certify"]
