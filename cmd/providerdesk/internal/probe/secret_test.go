package probe_test

import (
	"context"
	"errors"
	"testing"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/probe"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
)

func TestSecret(t *testing.T) {
	const what = "the secret of prod can be read"
	const version = "secret:projects/p/secrets/s/versions/1"
	for name, tc := range map[string]struct {
		ref, value string
		err        error // of the manager
		want       string
	}{
		"it can":             {ref: "env:TOKEN", value: "x", want: "pass " + what},
		"it is not there":    {ref: "env:TOKEN", want: "fail " + what + ": it cannot be read; put it where the configuration says"},
		"it is empty":        {ref: version, value: " ", want: "fail " + what + ": it cannot be read"},
		"we may not":         {ref: version, err: fault.Wrap(fault.Denied, errors.New("HTTP 403"), "access"), want: "fail " + what + ": it cannot be read"},
		"no such version":    {ref: version, err: fault.Wrap(fault.Missing, errors.New("HTTP 404"), "access"), want: "fail " + what + ": there is no such version of it"},
		"there is no answer": {ref: version, err: fault.Wrap(fault.Transient, errors.New("HTTP 503"), "access"), want: "cannot tell " + what + ": it does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := config.NewSecret(tc.ref, config.Sources{Env: func(string) (string, bool) { return tc.value, tc.value != "" },
				Manager: func(context.Context, string) (string, error) { return tc.value, tc.err }})
			if err != nil {
				t.Fatal(err)
			}
			lines(t, []probe.Result{probe.Secret(t.Context(), "prod", s)}, tc.want)
		})
	}
}
