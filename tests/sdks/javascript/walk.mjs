// Microsoft's client for JavaScript, as it is published, on a served sandbox: lists, pages, members,
// methods, a batch, a phone. The argument is the sandbox's URL. Says what went wrong, or `done`.

import assert from "node:assert/strict";
import {
  BatchRequestContent,
  BatchResponseContent,
  Client,
  PageIterator,
} from "@microsoft/microsoft-graph-client";

const url = process.argv[2];
const somebody = "x.tran@exchangelabs.nl";
const allStaff = "3f8a5d21-6b94-4c0e-8d7f-1e2a9c40b753";

const authProvider = {
  async getAccessToken() {
    const body = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: "sdk",
      client_secret: "any",
      scope: "https://graph.microsoft.com/.default",
    });
    const answer = await fetch(`${url}/sandbox/oauth2/v2.0/token`, { method: "POST", body });
    return (await answer.json()).access_token;
  },
};
const customHosts = new Set([new URL(url).hostname]);
const graph = Client.initWithMiddleware({ baseUrl: url, authProvider, customHosts });

const names = [];
const page = await graph.api("/users").select(["id", "userPrincipalName"]).top(20).get();
assert.equal(page.value.length, 20);
await new PageIterator(graph, page, (user) => names.push(user.userPrincipalName) > 0).iterate();
assert.ok(names.length > 60 && new Set(names).size === names.length, `${names.length}`);

const members = await graph.api(`/groups/${allStaff}/members`).get();
assert.ok(members.value[0].id);

const methods = await graph.api(`/users/${somebody}/authentication/methods`).get();
assert.ok(methods.value.some((method) => method["@odata.type"].includes("password")));
const phones = `/users/${somebody}/authentication/phoneMethods`;
const made = await graph.api(phones).post({ phoneNumber: "+31 611112222", phoneType: "mobile" });
assert.equal(made.phoneNumber, "+31 611112222");
assert.equal((await graph.api(phones).get()).value.length, 1);

const parts = names.slice(0, 3).map((name, index) => ({
  id: `${index + 1}`,
  request: new Request(`${url}/v1.0/users/${encodeURIComponent(name)}/authentication/methods`),
}));
const content = await new BatchRequestContent(parts).getContent();
for (const part of content.requests) part.url = part.url.replace(/^\/?v1\.0/, "");
const answers = new BatchResponseContent(await graph.api("/$batch").post(content));
for (const { id } of parts) assert.equal(answers.getResponseById(id).status, 200);
console.log("done");
