package publishtest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// push is one request that a receiver got.
type push struct {
	at           time.Time
	method       string
	path         string
	contentType  string
	raw          []byte
	bad          error // why the body is not a push
	Message      pushMessage
	Subscription string
	Attempt      int `json:"deliveryAttempt"`
}

type pushMessage struct {
	Data         []byte
	Attributes   map[string]string
	OrderingKey  string `json:"orderingKey"`
	MessageID    string `json:"messageId"`
	MessageID2   string `json:"message_id"`
	PublishTime  string `json:"publishTime"`
	PublishTime2 string `json:"publish_time"`
}

// receiver reports what is pushed to it and answers as answer says.
type receiver struct {
	pushes chan push
	answer func(push, http.ResponseWriter, *http.Request)
}

// newReceiver returns a receiver that answers with answer, 204 if it is nil.
func newReceiver(answer func(push, http.ResponseWriter, *http.Request)) *receiver {
	if answer == nil {
		answer = status(http.StatusNoContent)
	}
	return &receiver{pushes: make(chan push, 10_000), answer: answer}
}

func status(code int) func(push, http.ResponseWriter, *http.Request) {
	return func(_ push, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	p := push{at: time.Now(), method: req.Method, path: req.URL.Path, contentType: req.Header.Get("Content-Type")}
	p.raw, p.bad = io.ReadAll(req.Body)
	if p.bad == nil {
		p.bad = json.NewDecoder(bytes.NewReader(p.raw)).Decode(&p)
	}
	r.pushes <- p
	r.answer(p, w, req)
}

// fresh returns a name that no other run has used, fit for a topic or a subscription.
func fresh(kind string) string { return fmt.Sprintf("%s-%s", kind, strings.ToLower(rand.Text()[:10])) }
