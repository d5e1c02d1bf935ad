// The client of the protocol's first generation on npm.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { converse } from "../converse.js";

await converse(() => new Client({ name: "first", version: "1" }), StreamableHTTPClientTransport);
