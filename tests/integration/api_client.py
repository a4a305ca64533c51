"""The few calls to the Kubernetes API that tests make themselves."""

import ssl
import time

import httpx

PATCH_TYPES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}


class ApiError(Exception):
    """An answer other than 2xx: `status` is the HTTP status, `body` the API's Status object."""

    def __init__(self, method, path, response):
        try:
            self.body = response.json()
        except ValueError:
            self.body = {"message": response.text}
        self.status = response.status_code
        self.reason = self.body.get("reason", "")
        super().__init__(f"{method} {path}: {self.status} {self.body.get('message', '')}")


class ApiClient:
    """Query parameters go as keywords: client.get(path, labelSelector="app=x")."""

    def __init__(self, url, ca_file, client_cert=None, token=None):
        tls = ssl.create_default_context(cafile=ca_file)
        if client_cert:
            tls.load_cert_chain(*client_cert)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(
            base_url=url, verify=tls, headers=headers, timeout=60, trust_env=False
        )

    def close(self):
        self._http.close()

    def get(self, path, **query):
        return self._send("GET", path, query)

    def post(self, path, body, **query):
        return self._send("POST", path, query, body)

    def put(self, path, body, **query):
        return self._send("PUT", path, query, body)

    def patch(self, path, body, type="merge", **query):
        return self._send("PATCH", path, query, body, PATCH_TYPES[type])

    def delete(self, path, body=None, **query):
        return self._send("DELETE", path, query, body)

    def find(self, path, **query):
        """Like get, but None when there is no such object."""
        try:
            return self.get(path, **query)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def watch(self, path, **query):
        """A context manager: the streamed response of a watch, one event a line (iter_lines)."""
        return self._http.stream("GET", path, params={"watch": "true", **query})

    def _send(self, method, path, query, body=None, content_type="application/json"):
        for _ in range(10):
            response = self._http.request(
                method, path, params=query, json=body, headers={"Content-Type": content_type}
            )
            if response.status_code != 429:
                break
            # Not carried out: so says a server that still loads the objects of a new resource type.
            time.sleep(int(response.headers.get("Retry-After", "1")))
        if not response.is_success:
            raise ApiError(method, path, response)
        is_json = "json" in response.headers.get("content-type", "")
        return response.json() if is_json else response.text
