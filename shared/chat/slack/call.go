package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// codes are the refusals that Slack answers with 200. Each of them proves that nothing was done. What is not listed leaves it open: Slack says of
// fatal_error that part of an operation may have succeeded.
var codes = map[string]fault.Kind{
	"invalid_auth":                          fault.Denied,
	"not_authed":                            fault.Denied,
	"account_inactive":                      fault.Denied,
	"token_revoked":                         fault.Denied,
	"token_expired":                         fault.Denied,
	"no_permission":                         fault.Denied,
	"missing_scope":                         fault.Denied,
	"not_allowed_token_type":                fault.Denied,
	"access_denied":                         fault.Denied,
	"accesslimited":                         fault.Denied,
	"ekm_access_denied":                     fault.Denied,
	"enterprise_is_restricted":              fault.Denied,
	"team_access_not_granted":               fault.Denied,
	"org_login_required":                    fault.Denied,
	"two_factor_setup_required":             fault.Denied,
	"restricted_action":                     fault.Denied,
	"not_in_channel":                        fault.Denied,
	"is_archived":                           fault.Denied,
	"is_inactive":                           fault.Denied,
	"cant_update_message":                   fault.Denied,
	"edit_window_closed":                    fault.Denied,
	"cannot_reply_to_message":               fault.Denied,
	"channel_is_limited_access":             fault.Denied,
	"method_not_supported_for_channel_type": fault.Denied,

	"channel_not_found": fault.Missing,
	"message_not_found": fault.Missing,
	"thread_not_found":  fault.Missing,
	"user_not_found":    fault.Missing,
	"file_not_found":    fault.Missing,
	"file_deleted":      fault.Missing,
	"team_not_found":    fault.Missing,

	"no_text":                        fault.Invalid,
	"msg_too_long":                   fault.Invalid,
	"msg_blocks_too_long":            fault.Invalid,
	"too_many_attachments":           fault.Invalid,
	"metadata_too_large":             fault.Invalid,
	"metadata_must_be_sent_from_app": fault.Invalid,
	"block_mismatch":                 fault.Invalid,
	"unknown_method":                 fault.Invalid,
	"method_deprecated":              fault.Invalid,
	"deprecated_endpoint":            fault.Invalid,
	"missing_post_type":              fault.Invalid,
	"missing_charset":                fault.Invalid,
	"superfluous_charset":            fault.Invalid,

	"ratelimited":            fault.Throttled,
	"rate_limited":           fault.Throttled,
	"message_limit_exceeded": fault.Throttled,

	"internal_error":             fault.Transient,
	"fatal_error":                fault.Transient,
	"service_unavailable":        fault.Transient,
	"team_added_to_org":          fault.Transient,
	"request_timeout":            fault.Transient,
	"update_failed":              fault.Transient,
	"external_channel_migrating": fault.Transient,
}

// classify makes an error of a code: one that is not listed is a definite refusal when its name says that an argument is wrong, and open
// otherwise. The code is a word; what else Slack says stays out.
func classify(code, doing string) error {
	kind, listed := codes[code]
	switch {
	case listed:
	case strings.HasPrefix(code, "invalid_"):
		kind = fault.Invalid
	case strings.HasPrefix(code, "restricted_action_"), strings.HasSuffix(code, "_denied"):
		kind = fault.Denied
	default:
		kind = fault.Bug
	}
	return fault.Wrap(kind, errors.New("answered "+word(code)), doing)
}

// act calls a method that changes something, once.
func (r *Room) act(ctx context.Context, doing, method string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fault.Unsent(fault.Wrap(fault.Bug, errors.New("what is to be sent is no JSON"), doing))
	}
	return r.call(ctx, doing, into, func(ctx context.Context) (*http.Request, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.endpoint+"/"+method, bytes.NewReader(text))
		if err == nil {
			req.Header.Set("Content-Type", "application/json; charset=utf-8")
		}
		return req, err
	})
}

// read calls a method that changes nothing.
func (r *Room) read(ctx context.Context, doing, method string, query url.Values, into any) error {
	return r.call(ctx, doing, into, func(ctx context.Context) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodGet, r.endpoint+"/"+method+"?"+query.Encode(), nil)
	})
}

func (r *Room) call(ctx context.Context, doing string, into any, compose func(context.Context) (*http.Request, error)) error {
	return gapi.Do(ctx, doing, func(ctx context.Context) error {
		req, err := compose(ctx)
		if err != nil {
			return fault.Unsent(fault.Wrap(fault.Bug, errors.New("not a request"), doing))
		}
		resp, err := r.api.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return gapi.Refused(resp, "")
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		return answered(body, into, doing)
	})
}

// answered reads the envelope that every answer has. One that cannot be read is no answer.
func answered(body []byte, into any, doing string) error {
	var envelope struct {
		OK    *bool
		Error string
	}
	if err := json.Unmarshal(body, &envelope); err != nil || envelope.OK == nil {
		return unreadable(doing)
	}
	if !*envelope.OK {
		return classify(envelope.Error, doing)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return unreadable(doing)
	}
	return nil
}

// unreadable is the error of a success that does not say what was done.
func unreadable(doing string) error {
	return fault.Wrap(fault.Transient, errors.New("the answer cannot be read"), doing)
}
