"""Numbers with a grammar: court case numbers, 文号 of bureaus, 居民身份证 and 统一社会信用代码."""

from services.kit.numbers.case_number import (
    CaseNumber,
    Court,
    CourtNumbers,
    check_case_number,
    court_numbers,
    format_case_number,
)
from services.kit.numbers.document_number import (
    DocumentPattern,
    document_patterns,
    format_document_number,
    parse_document_number,
)
from services.kit.numbers.identity_number import credit_code_fault, resident_id_fault

__all__ = [
    "CaseNumber", "Court", "CourtNumbers", "DocumentPattern", "check_case_number", "court_numbers", "credit_code_fault",
    "document_patterns", "format_case_number", "format_document_number", "parse_document_number", "resident_id_fault",
]  # fmt: skip
