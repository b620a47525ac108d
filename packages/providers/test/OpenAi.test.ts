import * as Conformance from "@spillway/testing/Conformance"
import * as OpenAi from "../src/OpenAi.js"
import { recordings } from "./fixtures/openai.js"

Conformance.suite({ backend: "openai", layer: OpenAi.layer, model: "gpt-test", recordings })
