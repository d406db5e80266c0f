"""Studies, sites, protocol and questionnaire versions, holds."""
