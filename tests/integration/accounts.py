"""ServiceAccounts and the pull Secret `it` that names them, as tests see them."""

import operator_process
from polling import wait_for
from resources import Tenant

PULL = "DeepgramPullSecret"
UPDATED = "ServiceAccountsUpdated"
FOREIGN = [{"name": "one"}, {"name": "two"}]  # of other people


class Accounts(Tenant):
    def wait_entries(self, name, *names, timeout=5):
        def there():
            found = [entry["name"] for entry in self.entries(name)]
            assert found == list(names), found
            return True

        wait_for(there, timeout, f"ServiceAccount {name} has {names}", interval=0.02)

    def set(self, **spec):
        self.patch(PULL, "it", {"spec": spec})

    def noted(self):
        """(account, Secret) of the entries that the status tells to be the operator's."""
        return [(note["name"], note["secretName"])
                for note in self.find(PULL, "it")["status"].get("serviceAccounts", [])]

    def wait_told(self, status, reason, timeout=10):
        return self.wait_condition(PULL, "it", UPDATED, status, reason, timeout)["message"]

    def writes(self, since):
        """What operators changed in ServiceAccounts of this namespace."""
        return [event for event in self.plane.audit(since, operator_process.USER)
                if event["objectRef"]["resource"] == "serviceaccounts" and
                event["objectRef"]["namespace"] == self.namespace and
                event["verb"] not in ("get", "list", "watch")]
