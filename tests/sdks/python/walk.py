"""Microsoft's SDK for Python, as it is published, on a served sandbox: lists, pages, members,
methods, a batch, a phone. The argument is the sandbox's URL. Says what went wrong, or `done`."""

import asyncio
import sys
import time

import httpx
from azure.core.credentials import AccessToken
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.phone_authentication_method import PhoneAuthenticationMethod
from msgraph.generated.models.authentication_phone_type import AuthenticationPhoneType
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem

URL = sys.argv[1]
SOMEBODY = "x.tran@exchangelabs.nl"
ALL_STAFF = "3f8a5d21-6b94-4c0e-8d7f-1e2a9c40b753"


class Credential:
    async def get_token(self, *scopes, **_):
        form = {
            "grant_type": "client_credentials",
            "client_id": "sdk",
            "client_secret": "any",
            "scope": "https://graph.microsoft.com/.default",
        }
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.post(f"{URL}/sandbox/oauth2/v2.0/token", data=form)
        return AccessToken(answer.json()["access_token"], int(time.time()) + 3000)

    async def close(self):
        pass


async def walk():
    provider = AzureIdentityAuthenticationProvider(
        Credential(), scopes=["https://graph.microsoft.com/.default"], allowed_hosts=["127.0.0.1", "localhost"]
    )
    adapter = GraphRequestAdapter(provider)
    adapter.base_url = f"{URL}/v1.0"
    graph = GraphServiceClient(request_adapter=adapter)

    options = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(
        select=["id", "userPrincipalName"], top=20
    )
    page = await graph.users.get(RequestConfiguration(query_parameters=options))
    names, pages = [], 0
    while page:
        pages += 1
        names += [user.user_principal_name for user in page.value]
        link = page.odata_next_link
        page = await graph.users.with_url(link).get() if link else None
    assert pages > 2 and len(set(names)) == len(names) > 60, (pages, len(names))

    members = await graph.groups.by_group_id(ALL_STAFF).members.get()
    assert members.value and members.value[0].id

    person = graph.users.by_user_id(SOMEBODY).authentication
    before = await person.methods.get()
    assert [m for m in before.value if m.odata_type.endswith("passwordAuthenticationMethod")]
    phone = PhoneAuthenticationMethod(
        phone_number="+31 611112222", phone_type=AuthenticationPhoneType.Mobile
    )
    made = await person.phone_methods.post(phone)
    assert made.phone_number == "+31 611112222", made
    phones = await person.phone_methods.get()
    assert [p.phone_type for p in phones.value] == [AuthenticationPhoneType.Mobile]

    batch = BatchRequestContent()
    for name in names[:3]:
        request = graph.users.by_user_id(name).authentication.methods.to_get_request_information()
        item = BatchRequestItem(request)
        # This release leaves the host in, which Graph refuses.
        item.set_url(request.url.removeprefix(f"{URL}/v1.0"))
        batch.add_request(item.id, item)
    answers = await graph.batch.post(batch)
    assert len(answers.responses) == 3, answers.responses
    statuses = [part.status for part in answers.responses.values()]
    assert statuses == [200, 200, 200], (statuses, [p.body for p in answers.responses.values()])
    print("done")


asyncio.run(walk())
