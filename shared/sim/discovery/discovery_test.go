package discovery

import (
	"strings"
	"testing"
)

func TestGenerateRefuses(t *testing.T) {
	table := Table{API: "a", Version: "v1", Package: "p"}
	for name, tt := range map[string]struct {
		doc     string
		methods []string
	}{
		"not JSON":       {`{"id":`, nil},
		"another API":    {`{"id":"a:v2"}`, nil},
		"no such method": {`{"id":"a:v1","methods":{"get":{"id":"a.get"}}}`, []string{"a.put"}},
	} {
		table.Methods = tt.methods
		if _, err := table.Generate([]byte(tt.doc)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A table of some methods has the schemas that they reach, at any depth, and no others.
func TestGenerateKeepsWhatIsReached(t *testing.T) {
	const doc = `{"id":"a:v1","revision":"1",
		"parameters":{"alt":{"type":"string","enum":["json"]}},
		"methods":{"put":{"id":"a.put","httpMethod":"PUT","path":"v1/{+name}","request":{"$ref":"Outer"},
			"parameters":{"names":{"type":"string","location":"query","repeated":true}}},
			"drop":{"id":"a.drop","request":{"$ref":"Other"}}},
		"schemas":{"Outer":{"properties":{"list":{"type":"array","description":"Required. x","items":{"$ref":"Inner"}},"self":{"$ref":"Outer"}}},
			"Inner":{"properties":{"text":{"type":"string","readOnly":true}}},"Other":{}}}`
	src, err := Table{API: "a", Version: "v1", Package: "p", Prefix: "a", Methods: []string{"a.put"}}.Generate([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"package p\n", "var aStandard = []field{", `{Name: "alt", Type: "string", Enum: []string{"json"}}`,
		`{Op: "a.put", HTTP: "PUT", Path: "/v1/{+name}", Request: "Outer"`, `{Name: "names", Type: "string", Array: true}`,
		`{Name: "list", Ref: "Inner", Array: true, Required: true}`, `{Name: "text", Type: "string", Ignored: true}`,
	} {
		if !strings.Contains(string(src), want) {
			t.Errorf("no %s in\n%s", want, src)
		}
	}
	for _, other := range []string{"Other", "a.drop"} {
		if strings.Contains(string(src), other) {
			t.Errorf("%s is not asked for", other)
		}
	}
}
