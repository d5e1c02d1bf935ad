package web

import "net/http"

// docsAuthentication explains keys to whoever builds on the API, with this
// installation's own address in every example.
func (web *Web) docsAuthentication(q *request) error {
	q.w.Header().Set("Cache-Control", "private, no-cache")
	return q.render(http.StatusOK, docsAuthenticationPage(q.page("Authentication", ""), web.PublicURL))
}

// sample is a piece of code in the documentation.
type sample struct{ name, code string }

func requestSamples(base string) []sample {
	return []sample{
		{"cURL", "curl " + base + "/v1/stepsies \\\n  -H \"Authorization: Bearer $STEPSIES_API_KEY\""},
		{"JavaScript", "const response = await fetch(\"" + base + "/v1/stepsies\", {\n" +
			"  headers: { Authorization: `Bearer ${process.env.STEPSIES_API_KEY}` },\n});\nconst { data } = await response.json();"},
		{"Ruby", "require \"net/http\"\nrequire \"json\"\n\nuri = URI(\"" + base + "/v1/stepsies\")\n" +
			"request = Net::HTTP::Get.new(uri, \"Authorization\" => \"Bearer #{ENV[\"STEPSIES_API_KEY\"]}\")\n" +
			"response = Net::HTTP.start(uri.hostname, uri.port, use_ssl: uri.scheme == \"https\") { |http| http.request(request) }\n" +
			"data = JSON.parse(response.body)"},
		{"Python", "import os\nimport requests\n\nresponse = requests.get(\n    \"" + base + "/v1/stepsies\",\n" +
			"    headers={\"Authorization\": f\"Bearer {os.environ['STEPSIES_API_KEY']}\"},\n)\ndata = response.json()"},
	}
}

// The bodies of the two refusals, to the letter.
const (
	bodyUnauthorized = `{"error":{"code":"unauthorized","message":"Missing or invalid API key"}}`
	bodyForbidden    = `{"error":{"code":"forbidden","message":"Insufficient scope for this action"}}`
)
