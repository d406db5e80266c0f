"""All models of this package, imported together so that the metadata is whole."""

from campaigns.audience import models as audience
from campaigns.inbox import models as inbox
from campaigns.outbox import models as outbox
from campaigns.reports import models as reports

MODULES = (audience, inbox, outbox, reports)
