package hub

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// Token is an API token, as somebody made it in the product's console.
type Token struct {
	Token    string   `json:"token"`
	OrgID    string   `json:"orgId"`
	OrgName  string   `json:"orgName"`
	Username string   `json:"username"`
	Roles    []string `json:"roles"`
}

// tokenRecord is a token as it is kept. Its roles are those it was made with.
type tokenRecord struct {
	Token    string   `json:"token"`
	Org      string   `json:"org"`
	Username string   `json:"username"`
	Roles    []string `json:"roles"`
	Bindings []string `json:"bindings,omitempty"` // the tenants of a Provider Account Administrator
}

func (t tokenRecord) key() string { return t.Token }

// Tokens returns the API tokens, oldest first.
func (s *Server) Tokens() []Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Token, 0, len(s.state.tokens.list))
	for _, t := range s.state.tokens.list {
		all = append(all, s.token(t))
	}
	return all
}

func (s *Server) token(t tokenRecord) Token {
	org, _ := s.state.orgs.get(t.Org)
	return Token{t.Token, t.Org, org.Details.DisplayName, t.Username, slices.Clone(t.Roles)}
}

// TokenFor returns the first API token of an organization that has exactly these roles; empty if there is none.
func (s *Server) TokenFor(orgID string, roles ...string) string {
	for _, t := range s.Tokens() {
		if t.OrgID == orgID && slices.Equal(t.Roles, roles) {
			return t.Token
		}
	}
	return ""
}

// IssueToken makes an API token, as a person does in the console.
func (s *Server) IssueToken(orgID, username string, roles ...string) (Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(s.opts.Now().Add(s.state.clock))
	org, ok := s.state.orgs.get(orgID)
	if !ok {
		return Token{}, notFound()
	}
	if len(roles) == 0 || slices.ContainsFunc(roles, func(r string) bool { return !slices.Contains(rolesOf(org.Type), r) }) {
		return Token{}, invalid("roles", "The organization has the roles %s.", strings.Join(rolesOf(org.Type), ", "))
	}
	t := tx.issue(org, username, roles)
	if slices.Contains(roles, ProviderAccountAdmin) {
		t.Bindings = idsOf(s.state.children(org.ID))
	}
	tx.change.Tokens = append(tx.change.Tokens, t)
	return s.token(t), tx.commit()
}

func (tx *tx) issue(org orgRecord, username string, roles []string) tokenRecord {
	return tokenRecord{Token: server.Letters(tx.next("token"), server.Alphanumeric, 32) + server.Letters(tx.next("token"), server.Alphanumeric, 32), Org: org.ID, Username: username, Roles: roles}
}

// identity is who calls: an API token that was exchanged.
type identity struct {
	tokenRecord
}

// holds says whether one of the roles is among those of the caller.
func (i identity) holds(roles ...string) bool { return anyOf(i.Roles, roles) }

// exchange trades an API token for an access token.
func (tx *tx) exchange(rq *request) (reply, error) {
	var in struct {
		RefreshToken string `json:"refreshToken"`
	}
	if err := rq.decode(&in); err != nil {
		return reply{}, err
	}
	t, ok := tx.lookup(in.RefreshToken)
	if !ok && tx.switches.BadToken == "400" {
		return reply{}, fail(http.StatusBadRequest, "INVALID_GRANT", "The API token is not valid.")
	}
	if !ok {
		return reply{}, unauthorized("The API token is not valid.")
	}
	org, _ := tx.state.orgs.get(t.Org)
	if !org.Serviced {
		return reply{}, tx.noService()
	}
	return answer(http.StatusOK, map[string]string{"accessToken": tx.mint(t, rq.at)})
}

// noService is the answer to an organization that does not meet the precondition of an active service.
func (tx *tx) noService() *failure {
	f := fail(http.StatusForbidden, "NO_ACTIVE_SERVICE", "The organization has no active cloud service.")
	if tx.switches.NoService == "404" {
		f.Code = http.StatusNotFound
	}
	return f
}

// lookup takes the same time for every token.
func (tx *tx) lookup(token string) (found tokenRecord, ok bool) {
	for _, t := range tx.state.tokens.list {
		if subtle.ConstantTimeCompare([]byte(t.Token), []byte(token)) == 1 {
			found, ok = t, true
		}
	}
	return found, ok
}

// An access token is a JWT. It names the API token by an id that tells nothing about it.
type claims struct {
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`
	Org     string `json:"context_name"`
	Issued  int64  `json:"iat"`
	Expires int64  `json:"exp"`
}

const jwtHeader = `{"alg":"HS256","typ":"JWT"}`

func (s *Server) tokenID(t tokenRecord) string {
	id := s.ids.Draw("token id "+t.Token, 0)
	return base64.RawURLEncoding.EncodeToString(id[:12])
}

func (s *Server) mint(t tokenRecord, at time.Time) string {
	c := claims{Issuer: "https://console.cloud.vmware.com", Subject: s.tokenID(t), Org: t.Org, Issued: at.Unix(), Expires: at.Add(s.opts.TokenLife).Unix()}
	data, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(jwtHeader)) + "." + base64.RawURLEncoding.EncodeToString(data)
	return text + "." + s.signature(text)
}

func (s *Server) signature(text string) string {
	key := s.ids.Draw("access token key", 0)
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// authenticate finds out who calls. An Authorization header is of no use here.
func (s *Server) authenticate(rq *request) *failure {
	token := rq.Header.Get("csp-auth-token")
	if token == "" {
		return unauthorized("The header csp-auth-token is missing.")
	}
	c, ok := s.verify(token)
	if !ok {
		return unauthorized("The access token is not valid.")
	}
	if rq.at.Unix() >= c.Expires {
		return unauthorized("The access token has expired.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.state.tokens.list {
		if s.tokenID(t) == c.Subject && t.Org == c.Org {
			rq.caller = identity{t}
			return nil
		}
	}
	return unauthorized("The access token is not valid.")
}

func (s *Server) verify(token string) (c claims, ok bool) {
	i := strings.LastIndexByte(token, '.')
	if i < 0 || len(token) > 4096 || !hmac.Equal([]byte(token[i+1:]), []byte(s.signature(token[:i]))) {
		return c, false
	}
	_, payload, _ := strings.Cut(token[:i], ".")
	data, err := base64.RawURLEncoding.DecodeString(payload)
	return c, err == nil && json.Unmarshal(data, &c) == nil
}

// enter lets a request into the organization of its path, if the roles of the caller allow the method there.
func (tx *tx) enter(rq *request) error {
	if rq.route.roles == nil {
		return nil
	}
	if !rq.caller.holds(rq.route.roles...) {
		return denied("The method needs one of the roles %s.", strings.Join(rq.route.roles, ", "))
	}
	org, ok := tx.state.orgs.get(rq.vars["org"])
	if !ok {
		return notFound()
	}
	if !tx.reaches(rq, org) {
		return denied("The access token is not one of this organization.")
	}
	rq.org = org
	return nil
}

// reaches says whether the caller's token is good in an organization: in its own, and of a provider's for the management of its tenants.
func (tx *tx) reaches(rq *request, org orgRecord) bool {
	if org.ID == rq.caller.Org {
		return true
	}
	managing := rq.route.Op == "orgs.get" || rq.route.Op == "orgs.update" || tx.switches.TokenScope == "tenants"
	return managing && org.Parent == rq.caller.Org && rq.caller.manages(org)
}

// manages says whether the caller's roles are about this tenant: those of a mere Provider Account Administrator are about the tenants it is bound to.
func (i identity) manages(org orgRecord) bool {
	bound := !i.holds(ProviderAdmin, ProviderOperationsAdmin, ProviderBillingUser, ProviderSupportUser)
	return !bound || slices.Contains(i.Bindings, org.ID)
}
