package strict

import "testing"

func TestSuggest(t *testing.T) {
	words := []string{"settle", "per", "kind", "call_timeout"}
	for written, want := range map[string]string{
		"setle": "settle", "settel": "settle", "Kind": "kind", "prr": "per", "call-timeout": "call_timeout",
		"a": "", "unsettled": "", "x": "", "": "", "kin_dd": "", "kinds": "kind",
	} {
		if want != "" {
			want = " (did you mean " + want + "?)"
		}
		if got := Suggest(written, words); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", written, got, want)
		}
	}
}
