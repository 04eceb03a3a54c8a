// Package gsm resolves secret:projects/P/secrets/S/versions/V with Google Secret Manager. It stands beside config so that a program that
// needs no secret manager does not carry its client. It keeps nothing: every use asks again, so a rotated secret is seen at once.
package gsm

import (
	"context"
	"encoding/base64"
	"hash/crc32"
	"net/http"

	"google.golang.org/api/option"
	"google.golang.org/api/secretmanager/v1"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// Manager returns the function for config.WithManager. client carries the credentials; see [gapi.Client]. An empty endpoint is Google's.
func Manager(client *http.Client, endpoint string) (func(ctx context.Context, version string) (string, error), error) {
	options := []option.ClientOption{option.WithHTTPClient(client)}
	if endpoint != "" {
		options = append(options, option.WithEndpoint(endpoint))
	}
	svc, err := secretmanager.NewService(context.Background(), options...)
	if err != nil {
		return nil, fault.Wrap(fault.Bug, err, "making a client of Secret Manager")
	}
	return func(ctx context.Context, version string) (string, error) { return access(ctx, svc, version) }, nil
}

func access(ctx context.Context, svc *secretmanager.Service, version string) (string, error) {
	var answer *secretmanager.AccessSecretVersionResponse
	err := gapi.Do(ctx, "accessing a secret", func(ctx context.Context) (err error) {
		answer, err = svc.Projects.Secrets.Versions.Access(version).Context(ctx).Do()
		return err
	})
	if err != nil {
		return "", err
	}
	if answer.Payload == nil {
		return "", fault.New(fault.Transient, "Secret Manager answered without a payload")
	}
	return payload(answer.Payload)
}

// payload decodes the secret and compares the checksum that the manager sends with it.
func payload(p *secretmanager.SecretPayload) (string, error) {
	b, err := base64.StdEncoding.DecodeString(p.Data)
	if err != nil {
		return "", fault.New(fault.Transient, "Secret Manager answered with a payload that is not base64")
	}
	sum := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
	if p.DataCrc32c != 0 && p.DataCrc32c != int64(sum) {
		return "", fault.New(fault.Transient, "the secret was damaged on its way from Secret Manager")
	}
	return string(b), nil
}
