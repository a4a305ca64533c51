// Drives every operation on keys and on distribution credentials through Deepgram's JavaScript SDK,
// as told by one JSON object on stdin, and prints the SDK's results as JSON.

import { readFileSync } from "node:fs";
import { DeepgramClient } from "@deepgram/sdk";

const { url, apiKey, projectId, key, credentials } = JSON.parse(readFileSync(0, "utf8"));
const elsewhere = "ws://127.0.0.1:1";
const client = new DeepgramClient({
  apiKey,
  environment: { base: url, production: elsewhere, agent: elsewhere, agentRest: url },
});
const keys = client.manage.v1.projects.keys;
const distribution = client.selfHosted.v1.distributionCredentials;

const results = {};
results.created_key = await keys.create(projectId, key);
results.listed_keys = await keys.list(projectId, { status: "active" });
results.got_key = await keys.get(projectId, results.created_key.api_key_id);
results.deleted_key = await keys.delete(projectId, results.created_key.api_key_id);

results.created_credentials = await distribution.create(projectId, credentials);
const id = results.created_credentials.distribution_credentials.distribution_credentials_id;
results.listed_credentials = await distribution.list(projectId);
results.got_credentials = await distribution.get(projectId, id);
results.deleted_credentials = await distribution.delete(projectId, id);

console.log(JSON.stringify(results));
