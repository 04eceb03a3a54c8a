package probe

import (
	"context"

	"github.com/providerdesk/providerdesk/shared/config"
)

// Secret asks whether a secret can be read. Whether it is right only those know who use it.
func Secret(ctx context.Context, whose string, s config.Secret) Result {
	_, err := s.Resolve(ctx)
	return hints{
		denied:  "it cannot be read; put it where the configuration says, and give our account roles/secretmanager.secretAccessor if that is Secret Manager",
		missing: "there is no such version of it; correct the configuration, or add the version",
	}.result("the secret of "+whose+" can be read", err)
}
