package rest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

type object map[string]any

var bodies = Bodies[object]{
	Schemas: map[string][]Field{
		"Case": {
			{Name: "displayName", Type: "string", Required: true},
			{Name: "state", Type: "string", Ignored: true, Enum: []string{"STATE_UNSPECIFIED", "OPEN"}},
			{Name: "priority", Type: "string", Enum: []string{"PRIORITY_UNSPECIFIED", "P1"}},
			{Name: "test", Type: "boolean"}, {Name: "size", Type: "integer"}, {Name: "share", Type: "number"}, {Name: "etag", Type: "string", Format: "byte"},
			{Name: "bytes", Type: "string", Format: "int64"}, {Name: "labels", Type: "object"}, {Name: "any", Type: "any"},
			{Name: "addresses", Type: "string", Array: true}, {Name: "class", Ref: "Class"}, {Name: "files", Ref: "Class", Array: true},
		},
		"Class": {{Name: "id", Type: "string", Required: true}, {Name: "name", Type: "string"}},
	},
	Mandatory: map[string][]string{"Case": {"class"}},
}

// What a body may hold, and what of it is kept.
func TestParse(t *testing.T) {
	for body, want := range map[string]object{
		"":                     {},
		" {} ":                 {},
		`{"display_name":"a"}`: {"displayName": "a"},
		`{"displayName":null,"state":"OPEN","class":null,"files":null}`:                             {},
		`{"displayName":"","test":false,"size":0,"addresses":[],"priority":"PRIORITY_UNSPECIFIED"}`: {},
		`{"test":true,"size":-3,"share":1.5,"etag":"BwAA","bytes":"12","priority":"P1"}`:            {"test": true, "size": int64(-3), "share": json.Number("1.5"), "etag": "BwAA", "bytes": "12", "priority": "P1"},
		`{"labels":{"a":"b"},"any":[1]}`:                                                            {"labels": map[string]any{"a": "b"}, "any": []any{json.Number("1")}},
		`{"addresses":["a"],"class":{"id":"1"},"files":[{"id":"2"},{}]}`: {
			"addresses": []any{"a"}, "class": object{"id": "1"}, "files": []any{object{"id": "2"}, object{}},
		},
	} {
		if got, f := bodies.Parse("Case", []byte(body)); f != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v, want %v", body, got, f, want)
		}
	}
}

// Each body is wrong in one way, which is told with the path of the field, in the words of either kind of API.
func TestParseRefuses(t *testing.T) {
	other := bodies
	other.Void, other.NamesFirst, other.Numbers = "null", true, true
	for _, tt := range []struct{ body, says, other string }{
		{"\xff", "The text is not UTF-8", ""},
		{`[]`, "must be an object", ""},
		{`{}{}`, "not one JSON object", ""},
		{`{"displayName":`, "not one JSON object", ""},
		{`{"title":}`, "not one JSON object", "title: Invalid JSON payload received. Unknown name"},
		{`{"title":"a"}`, `title: Invalid JSON payload received. Unknown name "title"`, ""},
		{`{"DisplayName":"a"}`, "Unknown name", ""},
		{`{"` + strings.Repeat("x", 99) + `":1}`, `Unknown name "` + strings.Repeat("x", 64) + `"`, ""},
		{`{"class":{"code":1}}`, "class.code: ", ""},
		{`{"files":[{"code":1}]}`, "files.code: ", ""},
		{`{"displayName":"a","display_name":"b"}`, "displayName: The field is set twice", ""},
		{`{"displayName":1}`, "must be a string", ""},
		{`{"state":"SHUT"}`, "state: Invalid value: it must be one of STATE_UNSPECIFIED, OPEN", ""},
		{`{"test":"true"}`, "must be true or false", ""},
		{`{"size":"3"}`, "32-bit number", ""},
		{`{"size":2147483648}`, "32-bit number", ""},
		{`{"share":"1"}`, "32-bit number", ""},
		{`{"etag":"?"}`, "base64", ""},
		{`{"bytes":1.5}`, "must be a string", "must be a whole number"},
		{`{"bytes":true}`, "must be a string", "must be a whole number"},
		{`{"labels":[]}`, "must be an object", ""},
		{`{"addresses":"a"}`, "must be an array", ""},
		{`{"addresses":[null]}`, "addresses: Invalid value: nothing inside an array", "null inside an array"},
		{`{"class":"a"}`, "class: Invalid value: it must be an object", ""},
	} {
		if tt.other == "" {
			tt.other = tt.says
		}
		for api, says := range map[*Bodies[object]]string{&bodies: tt.says, &other: tt.other} {
			if got, f := api.Parse("Case", []byte(tt.body)); f == nil || got != nil || !strings.Contains(f.Message, says) {
				t.Errorf("%s: %v, %v, want %q", tt.body, got, f, says)
			}
		}
	}
	if got, f := other.Parse("Case", []byte(`{"bytes":12}`)); f != nil || len(got) != 0 {
		t.Errorf("a number for an int64: %v, %v", got, f)
	}
}

func TestMissing(t *testing.T) {
	for body, want := range map[string][2]string{ // of a whole object, and of a part of one
		`{"displayName":"a","class":{"id":"1"}}`: {"", ""},
		`{}`:                                     {"class displayName", ""},
		`{"displayName":" ","class":{"id":"1"}}`: {"displayName", ""},
		`{"displayName":"a","class":{}}`:         {"class.id", "class.id"},
		`{"displayName":"a","class":{"id":"1"},"files":[{"name":"b"}]}`: {"files.id", "files.id"},
	} {
		obj, f := bodies.Parse("Case", []byte(body))
		if f != nil {
			t.Fatal(f)
		}
		for i, partial := range []bool{false, true} {
			var names []string
			for _, v := range bodies.Missing("Case", obj, partial) {
				names = append(names, v.Field)
			}
			if got := strings.Join(names, " "); got != want[i] {
				t.Errorf("%s, partial %v: %q is missing, want %q", body, partial, got, want[i])
			}
		}
	}
}

func TestRead(t *testing.T) {
	put, get := &Method{Request: "Case"}, &Method{}
	for _, tt := range []struct {
		m                *Method
		kind, body, says string
	}{
		{get, "", "", ""}, {get, "application/json", "{}", "The method a.b takes no request body"},
		{put, "", "", ""}, {put, "application/json; charset=utf-8", "{}", ""}, {put, "", "{}", "must be of type application/json"},
		{put, "text/plain", "{}", "must be of type application/json"}, {put, "application/json", "{", "not one JSON object"},
	} {
		rq := &server.Request{Op: "a.b", Header: http.Header{"Content-Type": {tt.kind}}, Body: []byte(tt.body)}
		obj, f := bodies.Read(tt.m, rq)
		if (f == nil) != (tt.says == "") || f != nil && !strings.Contains(f.Message, tt.says) || (obj != nil) != (f == nil && tt.m == put) {
			t.Errorf("%q %q: %v, %v, want %q", tt.kind, tt.body, obj, f, tt.says)
		}
	}
}

func TestAccess(t *testing.T) {
	o := object{"a": "x", "list": []any{"x", object{}, "y"}}
	if Of[string](o, "a") != "x" || Of[bool](o, "a") || Of[object](o, "none") != nil {
		t.Error("one value")
	}
	if got := All[string](o, "list"); !reflect.DeepEqual(got, []string{"x", "y"}) || All[string](o, "a") != nil || len(All[object](o, "list")) != 1 {
		t.Errorf("%v", got)
	}
}

func TestCheckQuery(t *testing.T) {
	own := []Field{{Name: "pageSize", Type: "integer"}, {Name: "names", Type: "string", Array: true, Enum: []string{"a", "b"}}, {Name: "parent", Path: true}}
	standard := []Field{{Name: "alt", Type: "string", Enum: []string{"json"}}}
	for query, want := range map[string]string{
		"":                           "",
		"pageSize=3&names=a&names=b": "",
		"pageSize=x&alt=json":        "pageSize: The value must be a 32-bit number that is not negative.",
		"pageSize=1&pageSize=2":      "pageSize: The parameter is not repeated.",
		"names=a&names=c":            "names: The value must be one of a, b.",
		"alt=xml":                    "alt: The value must be one of json.",
		"page_size=1":                `page_size: Invalid JSON payload received. Unknown name "page_size": Cannot bind query parameter.`,
		"parent=x":                   `parent: Invalid JSON payload received. Unknown name "parent": Cannot bind query parameter.`,
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if f := CheckQuery(values, own, standard).Failure(); f != nil {
			got = f.Message
		}
		if got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for query, want := range map[string]string{"": "{\n  \"a\": 1\n}", "false": `{"a":1}`, "true": "{\n  \"a\": 1\n}"} {
		if got, err := Encode(url.Values{"prettyPrint": {query}}, map[string]int{"a": 1}); err != nil || string(got) != want {
			t.Errorf("prettyPrint=%s: %s, %v", query, got, err)
		}
	}
}
