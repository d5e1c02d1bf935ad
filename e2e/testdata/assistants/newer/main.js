// The client of the newer generation on npm, which asks for the latest revision of the protocol
// when it is told to, and else begins as the first does.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { converse } from "../converse.js";

const versionNegotiation = process.env.REVISION ? { mode: { pin: process.env.REVISION } } : undefined;
await converse(() => new Client({ name: "newer", version: "2" }, { versionNegotiation }), StreamableHTTPClientTransport);
