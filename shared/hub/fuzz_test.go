package hub

import (
	"io"
	"math/big"
	"strings"
	"testing"
	"time"
)

// FuzzDecode: whatever the hub sends, every decoder either refuses it or returns something with an id, and no number that does not parse.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		treeText, `{"id":"1","createTimestamp":1573708230248000,"tag":" x ","childOrgIds":["a",{"id":"b"}]}`, `[{"user":{"username":"a@b.c"},"orgRoles":{"orgRoles":[{"id":"r"}]}}]`,
		`{"addedUsers":{"users":["a@b.c"],"failedUsers":[],"detailedStatus":{"a@b.c":"Success"}}}`, `{"supportTickets":[{"id":1}]}`, `{"closeSrReasons":["Duplicate"]}`,
		`[{"expirationTime":1574312854269,"username":"a@b.c","orgRoles":["r"]}]`, `{"orgRoles":[1,"a",{"id":{}}]}`, `[[[]]]`, `{"a":1e999999}`, "null", "",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if o, ok := organizationOf(text); ok && !idForm.MatchString(o.ID) {
			t.Errorf("organization %q", o.ID)
		}
		if k, ok := ticketOf(text); ok && !idForm.MatchString(k.ID) {
			t.Errorf("ticket %q", k.ID)
		}
		if m, ok := memberOf(text); ok && m.Username == "" {
			t.Error("member without a name")
		}
		if i, ok := invitationOf(text); ok {
			i.Status(time.Unix(1573708230, 0))
		}
		if got := addedOf(text, []User{{Username: "a@b.c"}}); got.Verdicts["a@b.c"] == "" {
			t.Error("no verdict")
		}
		for _, w := range []string{"supportTickets", "closeSrReasons"} {
			if l, ok := listOf(text, w); ok && len(l) > len(text) {
				t.Error("more elements than bytes")
			}
		}
		categoryOf(text)
	})
}

// FuzzTree: a report is read to its end or refused; every item belongs to an organization, and every number is one.
func FuzzTree(f *testing.F) {
	for _, s := range []string{treeText, "[]", "null", `[{"services":[{"subscriptions":[{}],"serviceDefId":"s"}],"orgId":"t"}]`, `[{"orgId":"t","services":[null]}]`, `[{"orgId":"t"},`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		items, _ := read(text, func(org string) bool { return org == "x" })
		for _, i := range items {
			switch {
			case i.Subscription != nil:
				for _, k := range i.Subscription.Skus {
					number(t, k.UnitPrice.String())
					number(t, k.TotalUsage.String())
				}
				org(t, i.Subscription.OrgID)
			case i.Service != nil:
				number(t, i.Service.Amount.String())
				org(t, i.Service.OrgID)
			default:
				number(t, i.Organization.Amount.String())
				org(t, i.Organization.ID)
			}
		}
	})
}

func org(t *testing.T, id string) {
	t.Helper()
	if id == "" || id == "x" {
		t.Errorf("organization %q", id)
	}
}

func number(t *testing.T, s string) {
	t.Helper()
	if _, ok := new(big.Rat).SetString(s); s != "" && !ok {
		t.Errorf("%q is no number", s)
	}
}

// FuzzUsageCSV: a row without a problem has all that it is charged by.
func FuzzUsageCSV(f *testing.F) {
	const head = "Org Id,Service Id,Subscription Id,Billable Usage Timestamp,Price (USD),Usage Qty,Commit Qty,Billable Qty,Cross Reference Sku\n"
	for _, s := range []string{head + "o,s,u,1537029569000,0.1,1,0,1,c\n", "\xef\xbb\xbf" + head + "\"o\",s,u,2018-10-01,0.1,1,0,1e2,c\r\n", head, "", head + "o,s\n", head + "\"o", strings.Replace(head, "USD", ")(", 1)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := NewUsageReader(strings.NewReader(text))
		if err != nil {
			return
		}
		for {
			row, err := r.Next()
			if err != nil {
				if err != io.EOF && strings.Contains(err.Error(), "\n") {
					t.Error("the error holds a piece of the file")
				}
				return
			}
			if row.Problem != "" {
				continue
			}
			if row.OrgID == "" || row.Time.IsZero() || row.Line < 2 {
				t.Errorf("%+v", row)
			}
			for _, n := range []string{row.Price.String(), row.Usage.String(), row.Commit.String(), row.Billable.String()} {
				if _, ok := new(big.Rat).SetString(n); !ok {
					t.Errorf("%q is no number", n)
				}
			}
		}
	})
}

// FuzzTokenLife: a token is kept for more than no time and at most a year, whatever it claims.
func FuzzTokenLife(f *testing.F) {
	for _, s := range []string{jwt(`{"exp":1800000600}`), jwt(`{"iat":1,"exp":9223372036854775807}`), "a.b.c", "", ".."} {
		f.Add(s)
	}
	now := time.Unix(1_800_000_000, 0)
	f.Fuzz(func(t *testing.T, token string) {
		if life, ok := lifeOf(token, now); ok && (life <= 0 || life > maxLife) {
			t.Errorf("%q lives %v", token, life)
		}
		if a := accessOf(token, now); !a.refresh.After(now) || a.refresh.Sub(now) > keepFor {
			t.Errorf("%q is kept until %v", token, a.refresh)
		}
	})
}
