// converse connects to the server at MCP_URL with the key of STEPSIES_API_KEY, lists the tools, makes
// a draft, changes it, reads it back in both ways, and calls what has to fail. It prints what it saw.
export async function converse(newClient, Transport) {
  const headers = { Authorization: "Bearer " + process.env.STEPSIES_API_KEY };
  const client = newClient();
  const seen = {};
  try {
    const transport = new Transport(new URL(process.env.MCP_URL), { requestInit: { headers } });
    await client.connect(transport);
    seen.session = transport.sessionId ?? null;
    seen.server = client.getServerVersion();
    seen.revision = transport.protocolVersion ?? client.getNegotiatedProtocolVersion?.() ?? null;
    seen.tools = (await client.listTools()).tools.map((t) => t.name).sort();
    seen.templates = (await client.listResourceTemplates()).resourceTemplates.map((t) => t.uriTemplate);
    const call = async (name, args) => {
      const res = await client.callTool({ name, arguments: args });
      return { failed: res.isError ?? false, text: res.content[0].text, ...res.structuredContent };
    };
    const draft = (seen.draft = await call("draft_stepsy", { title: "Tea", steps: [{ title: "Boil", content: "**Water**" }] }));
    if (!draft.failed) {
      seen.changed = await call("update_stepsy", { id: draft.id, version: draft.version, steps: [{ id: draft.steps[0].id }, { title: "Steep" }] });
      seen.stale = await call("update_stepsy", { id: draft.id, version: draft.version, title: "Older" });
      seen.read = await call("read_stepsy", { id: draft.id });
      seen.document = (await client.readResource({ uri: "stepsy://" + draft.id })).contents[0].text;
    }
    seen.missing = await call("read_stepsy", { id: 999999 });
    await client.close();
  } catch (err) {
    seen.error = { message: String(err.message), code: err.code ?? err.data?.status ?? null };
  }
  console.log(JSON.stringify(seen));
}
