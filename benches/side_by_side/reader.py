"""A reader written by hand that reads the same as mfactl: asyncio, httpx and $batch.

Reads the methods and the per-user MFA state of every user in the group `All Staff`, twenty parts in a
request, eight requests at a time, and writes one line per user: id, state, kinds of methods.

    python benches/side_by_side/reader.py http://127.0.0.1:8080 > read.txt

Needs httpx.
"""

import asyncio
import sys

import httpx

LANES = 8


async def main(graph: str) -> None:
    async with httpx.AsyncClient(base_url=graph, timeout=60, trust_env=False) as client:
        form = {
            "grant_type": "client_credentials",
            "client_id": "reader",
            "client_secret": "secret",
            "scope": "https://graph.microsoft.com/.default",
        }
        token = (await client.post("/sandbox/oauth2/v2.0/token", data=form)).json()
        client.headers["Authorization"] = f"Bearer {token['access_token']}"
        client.headers["ConsistencyLevel"] = "eventual"
        users = await members(client)
        lanes = asyncio.Semaphore(LANES)
        parts = [(user, what) for user in users for what in ("methods", "requirements")]
        batches = [parts[place : place + 20] for place in range(0, len(parts), 20)]
        answers = await asyncio.gather(*(read(client, lanes, batch) for batch in batches))
    facts: dict[str, dict] = {user: {} for user in users}
    for batch in answers:
        for (user, what), body in batch:
            facts[user][what] = body
    for user in sorted(facts):
        kinds = sorted(kind(method) for method in facts[user]["methods"]["value"])
        print(user, facts[user]["requirements"]["perUserMfaState"], ";".join(kinds))


async def members(client: httpx.AsyncClient) -> list[str]:
    query = {"$filter": "displayName eq 'All Staff'", "$select": "id"}
    group = (await client.get("/v1.0/groups", params=query)).json()["value"][0]["id"]
    path = f"/v1.0/groups/{group}/transitiveMembers/microsoft.graph.user"
    page = (await client.get(path, params={"$count": "true", "$top": "999", "$select": "id"})).json()
    users = [user["id"] for user in page["value"]]
    while "@odata.nextLink" in page:
        page = (await client.get(page["@odata.nextLink"])).json()
        users += [user["id"] for user in page["value"]]
    return users


async def read(client: httpx.AsyncClient, lanes: asyncio.Semaphore, batch: list) -> list:
    done, left = [], dict(enumerate(batch))
    while left:
        requests = [
            {"id": str(id), "method": "GET", "url": f"/users/{user}/authentication/{what}"}
            for id, (user, what) in left.items()
        ]
        async with lanes:
            answer = (await client.post("/beta/$batch", json={"requests": requests})).json()
        wait = 0
        for part in answer["responses"]:
            if part["status"] == 200:
                done.append((left.pop(int(part["id"])), part["body"]))
            elif part["status"] == 429:
                wait = max(wait, int(part.get("headers", {}).get("Retry-After", 1)))
            else:
                raise SystemExit(f"{part['status']}: {part['body']}")
        await asyncio.sleep(wait)
    return done


def kind(method: dict) -> str:
    name = method["@odata.type"].removeprefix("#microsoft.graph.")
    name = name.removesuffix("AuthenticationMethod")
    return {"mobile": "mobilePhone", "alternateMobile": "alternateMobilePhone",
            "office": "officePhone"}[method["phoneType"]] if name == "phone" else name


asyncio.run(main(sys.argv[1]))
