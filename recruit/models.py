"""All models of this package, imported together so that the metadata is whole."""

from recruit import events, keys
from recruit.accounts import models as accounts
from recruit.audit import models as audit
from recruit.contact import models as contact
from recruit.intake import models as intake
from recruit.matching import models as matching
from recruit.materials import models as materials
from recruit.operations import models as operations
from recruit.people import models as people
from recruit.referrals import models as referrals
from recruit.studies import models as studies
from recruit.visits import models as visits

MODULES = (
    accounts,
    audit,
    contact,
    events,
    intake,
    keys,
    matching,
    materials,
    operations,
    people,
    referrals,
    studies,
    visits,
)
