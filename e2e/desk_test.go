package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
)

const (
	desk    = "/sim/cloudsupport"
	anybody = "anybody" // the simulator takes every token
)

// supportCase is what the support API says of a case.
type supportCase struct {
	Name           string `json:"name"`
	DisplayName    string `json:"displayName"`
	Description    string `json:"description"`
	Priority       string `json:"priority"`
	State          string `json:"state"`
	Classification struct {
		DisplayName string `json:"displayName"`
	} `json:"classification"`
	Subscribers []string `json:"subscriberEmailAddresses"`
}

// cases lists all cases of the desk through its API.
func (s *site) cases() []supportCase {
	s.Helper()
	var all []supportCase
	for token := ""; ; {
		var page struct {
			Cases         []supportCase `json:"cases"`
			NextPageToken string        `json:"nextPageToken"`
		}
		if err := s.get(desk+"/v2/projects/acme-prod/cases?pageSize=100&pageToken="+url.QueryEscape(token), anybody, &page); err != nil {
			s.Fatal(err)
		}
		all = append(all, page.Cases...)
		if token = page.NextPageToken; token == "" {
			return all
		}
	}
}

// comments lists the comments of a case, newest first.
func (s *site) comments(name string) []string {
	s.Helper()
	var page struct {
		Comments []struct {
			Body string `json:"body"`
		} `json:"comments"`
		NextPageToken string `json:"nextPageToken"`
	}
	if err := s.get(desk+"/v2/"+name+"/comments?pageSize=100", anybody, &page); err != nil {
		s.Fatal(err)
	}
	if page.NextPageToken != "" {
		s.Fatalf("%s has more than 100 comments", name)
	}
	var bodies []string
	for _, c := range page.Comments {
		bodies = append(bodies, c.Body)
	}
	return bodies
}

// calls are the calls that the desk has got since it was started.
type calls struct {
	Calls []struct {
		Op     string `json:"op"`
		Path   string `json:"path"`
		Status int    `json:"status"`
		Marker string `json:"marker"`
	} `json:"calls"`
	Counts map[string]int `json:"counts"`
}

func (s *site) calls() calls {
	s.Helper()
	var c calls
	if err := s.get(desk+"/calls", anybody, &c); err != nil {
		s.Fatal(err)
	}
	return c
}

// writes counts the calls that change something.
func (c calls) writes() int {
	return c.Counts["cases.create"] + c.Counts["cases.comments.create"] + c.Counts["cases.close"] + c.Counts["cases.patch"]
}

// arm tells the desk to spoil a call.
func (s *site) arm(op, fault string, times int) {
	s.Helper()
	body, err := json.Marshal(map[string]any{"op": op, "fault": fault, "times": times})
	if err != nil {
		s.Fatal(err)
	}
	if a := s.post(desk+"/faults", anybody, "application/json", body); a.status != http.StatusOK {
		s.Fatalf("arming %s answers %d: %s", fault, a.status, a.body)
	}
}
