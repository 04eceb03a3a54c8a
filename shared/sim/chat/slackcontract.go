package chat

// argument of a method of Slack's.
type argument struct {
	kind     string // "text", "flag", "number", "json"
	required bool
	most     int // bytes of a text, the value of a number; 0: no limit
}

// slackMethod is one method of Slack's Web API, as its reference describes it.
type slackMethod struct {
	reads     bool // may be called with GET; the others are POST only
	arguments map[string]argument
}

// Limits of Slack's.
const (
	slackText    = 40_000
	slackBlocks  = 50
	slackSum     = 13_200 // of all texts of the blocks together; not published
	slackSection = 3000
	slackField   = 2000
	slackFields  = 10
	slackHeader  = 150
	slackButton  = 75
	slackValue   = 2000
	slackAction  = 255
	slackActions = 25
	slackMeta    = 8000
	slackURL     = 3000
)

// slackMethods is the contract. An argument that is not in it is refused, although Slack ignores many.
var slackMethods = map[string]slackMethod{
	"auth.test": {reads: true},
	"chat.postMessage": {arguments: map[string]argument{
		"channel": {kind: "text", required: true, most: 100}, "text": {kind: "text"}, "blocks": {kind: "json"}, "metadata": {kind: "json", most: slackMeta},
		"thread_ts": {kind: "text", most: 30}, "reply_broadcast": {kind: "flag"}, "mrkdwn": {kind: "flag"}, "parse": {kind: "text", most: 10},
		"link_names": {kind: "flag"}, "unfurl_links": {kind: "flag"}, "unfurl_media": {kind: "flag"},
	}},
	"chat.update": {arguments: map[string]argument{
		"channel": {kind: "text", required: true, most: 100}, "ts": {kind: "text", required: true, most: 30}, "text": {kind: "text"},
		"blocks": {kind: "json"}, "metadata": {kind: "json", most: slackMeta}, "parse": {kind: "text", most: 10}, "link_names": {kind: "flag"},
	}},
	"conversations.history": {reads: true, arguments: listing(map[string]argument{})},
	"conversations.replies": {reads: true, arguments: listing(map[string]argument{"ts": {kind: "text", required: true, most: 30}})},
	"conversations.info": {reads: true, arguments: map[string]argument{
		"channel": {kind: "text", required: true, most: 100}, "include_num_members": {kind: "flag"}, "include_locale": {kind: "flag"},
	}},
	"users.info": {reads: true, arguments: map[string]argument{
		"user": {kind: "text", required: true, most: 100}, "include_locale": {kind: "flag"},
	}},
	"files.info": {reads: true, arguments: map[string]argument{
		"file": {kind: "text", required: true, most: 100}, "page": {kind: "number", most: 1000}, "count": {kind: "number", most: 1000},
		"cursor": {kind: "text"}, "limit": {kind: "number", most: 1000},
	}},
	"files.download": {reads: true}, // no method: the address of a file
}

// listing adds what every list of messages takes.
func listing(more map[string]argument) map[string]argument {
	for name, a := range map[string]argument{
		"channel": {kind: "text", required: true, most: 100}, "cursor": {kind: "text", most: 500}, "limit": {kind: "number", most: 999},
		"oldest": {kind: "text", most: 30}, "latest": {kind: "text", most: 30}, "inclusive": {kind: "flag"}, "include_all_metadata": {kind: "flag"},
	} {
		more[name] = a
	}
	return more
}

// slackErrors are the codes that a control may make a method answer.
var slackErrors = map[string]bool{
	"channel_not_found": true, "not_in_channel": true, "is_archived": true, "invalid_auth": true, "not_authed": true, "token_revoked": true,
	"missing_scope": true, "ratelimited": true, "internal_error": true, "fatal_error": true, "service_unavailable": true, "request_timeout": true,
	"restricted_action": true, "message_not_found": true, "cant_update_message": true, "msg_too_long": true, "invalid_blocks": true,
	"message_limit_exceeded": true, "file_not_found": true, "thread_not_found": true,
}
