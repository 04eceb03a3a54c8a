package slack

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// Slack's limits, in characters and pieces; those of a page and of the fallback are ours.
const (
	maxTitle   = 150
	maxSection = 3000
	maxPage    = 9000
	maxCell    = 1000 // of one field: Slack takes 2,000, ten of them in a section, but the blocks together have a limit, too
	perSection = 10
	maxFields  = 20
	maxButtons = 25
	maxButton  = 75
	maxValue   = 2000
	maxAction  = 250
	maxNotice  = 500
	maxURL     = 2000
)

// block is one block of a message, and elements of it.
type block map[string]any

// cost is what Slack counts for a character: its length in UTF-16 once it is escaped.
func cost(r rune) int {
	switch {
	case r == '&':
		return len("&amp;")
	case r == '<', r == '>':
		return len("&lt;")
	case r > 0xFFFF:
		return 2
	}
	return 1
}

// Pages cuts a post into posts that Slack takes.
func (r *Room) Pages(p chat.Post) []chat.Post { return chat.Pages(p, maxPage, cost) }

// render makes blocks, and the text for notifications, which is also what is read where blocks are not shown.
func render(p chat.Post) (text string, blocks []block, err error) {
	if err := check(p); err != nil {
		return "", nil, err
	}
	if p.Title != "" {
		blocks = append(blocks, block{"type": "header", "text": plainText(chat.Line(p.Title, maxTitle), maxTitle)})
	}
	for _, part := range chat.Parts(p.Body, maxSection, cost) {
		blocks = append(blocks, block{"type": "section", "text": plainText(part, maxSection)})
	}
	blocks = append(blocks, fieldBlocks(p.Fields)...)
	if p.Link.URL != "" {
		blocks = append(blocks, linkBlock(p.Link))
	}
	if len(p.Buttons) > 0 {
		blocks = append(blocks, buttonBlock(p.Buttons))
	}
	return notification(p), blocks, nil
}

// check refuses what does not fit. What is merely a label is cut short instead.
func check(p chat.Post) error {
	spent := 0
	for _, r := range p.Body {
		spent += cost(r)
	}
	switch {
	case spent > maxPage:
		return fault.New(fault.Invalid, "the body is longer than a page of Slack")
	case len(p.Fields) > maxFields || len(p.Buttons) > maxButtons:
		return fault.New(fault.Invalid, "the post has more fields or buttons than Slack takes")
	case strings.TrimSpace(p.Title+p.Body+p.Link.URL) == "" && len(p.Fields)+len(p.Buttons) == 0:
		return fault.New(fault.Invalid, "the post is empty")
	}
	for _, b := range p.Buttons {
		if b.Action == "" || len(b.Action) > maxAction || strings.Contains(b.Action, again) || len(b.Value) > maxValue {
			return fault.New(fault.Invalid, "a button needs an action of 1 to 250 bytes, without #, and a value of at most 2000")
		}
	}
	return checkLink(p.Link)
}

func checkLink(l chat.Link) error {
	u, err := url.Parse(l.URL)
	if l.URL != "" && (err != nil || u.Host == "" || u.User != nil || len(l.URL) > maxURL || u.Scheme != "https" && u.Scheme != "http") {
		return fault.New(fault.Invalid, "a link is an address of the web")
	}
	return nil
}

// again tells buttons of one action apart: Slack wants every action_id of a message to be another.
const again = "#"

// plainText is a text in which nothing is markup. Slack takes no empty one.
func plainText(s string, most int) block {
	if strings.TrimSpace(s) == "" {
		s = "–"
	}
	return block{"type": "plain_text", "text": escape(chat.Clip(s, most, cost)), "emoji": false}
}

func fieldBlocks(all []chat.Field) (blocks []block) {
	for len(all) > 0 {
		n := min(len(all), perSection)
		cells := make([]block, n)
		for i, f := range all[:n] {
			cells[i] = plainText(chat.Line(f.Name, maxButton)+"\n"+chat.Plain(f.Value), maxCell)
		}
		blocks, all = append(blocks, block{"type": "section", "fields": cells}), all[n:]
	}
	return blocks
}

// linkBlock is the one piece of markup. In the address and in the text only markup's own characters could end it too early.
func linkBlock(l chat.Link) block {
	address := strings.NewReplacer("|", "%7C", "<", "%3C", ">", "%3E", "&", "&amp;").Replace(l.URL)
	label := escape(strings.ReplaceAll(chat.Line(l.Text, maxButton), "|", "/"))
	text := "<" + address + ">"
	if label != "" {
		text = "<" + address + "|" + label + ">"
	}
	return block{"type": "section", "text": block{"type": "mrkdwn", "text": text, "verbatim": true}}
}

func buttonBlock(all []chat.Button) block {
	elements := make([]block, len(all))
	seen := map[string]int{}
	for i, b := range all {
		action := b.Action
		if seen[action]++; seen[action] > 1 {
			action += again + strconv.Itoa(seen[b.Action])
		}
		elements[i] = block{"type": "button", "text": plainText(chat.Line(b.Text, maxButton), maxButton), "action_id": action, "value": b.Value}
		if b.Danger {
			elements[i]["style"] = "danger"
		}
	}
	return block{"type": "actions", "elements": elements}
}

func notification(p chat.Post) string {
	text := chat.Line(p.Title, maxTitle)
	if body := strings.TrimSpace(chat.Plain(p.Body)); body != "" {
		text = strings.TrimSpace(text + "\n" + chat.Clip(body, maxNotice, cost))
	}
	if text == "" && len(p.Fields) > 0 {
		text = chat.Line(p.Fields[0].Name+": "+p.Fields[0].Value, maxNotice)
	}
	if text == "" {
		text = "–"
	}
	return escape(text)
}
