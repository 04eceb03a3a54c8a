package google

import (
	"cmp"
	"context"

	"google.golang.org/api/cloudsupport/v2"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// Open creates a case with cases.create, one send. The id of the classification comes from caseClassifications.search; when the API
// refuses an id that was kept from an earlier look-up, Open looks again and, if the id is another one now, sends once more. An unknown or
// ambiguous classification is fault.Invalid with the closest names in its sentence. A failed look-up is fault.Unsent.
func (d *Desk) Open(ctx context.Context, draft desk.Draft) (desk.Case, error) {
	class := cmp.Or(draft.Classification, d.o.Classification)
	id, fresh, err := d.classification(ctx, class)
	if err != nil {
		return desk.Case{}, unsent(err)
	}
	c, err := d.create(ctx, draft, id)
	if fresh || !classRefused(err) {
		return c, err
	}
	d.forget(class)
	again, _, lookErr := d.classification(ctx, class)
	if lookErr != nil {
		return desk.Case{}, unsent(lookErr)
	}
	if again == id {
		return desk.Case{}, err
	}
	return d.create(ctx, draft, again)
}

// unsent marks the failure of what comes before a create; a definite refusal is definite without it.
func unsent(err error) error {
	if fault.Is(err, fault.Invalid) {
		return err
	}
	return fault.Unsent(err)
}

func (d *Desk) create(ctx context.Context, draft desk.Draft, class string) (desk.Case, error) {
	c, err := d.one(ctx, "create a case", func(ctx context.Context) (*cloudsupport.Case, error) {
		return d.api.Cases.Create(d.o.Parent, &cloudsupport.Case{
			DisplayName:              draft.Title,
			Description:              draft.Description,
			Classification:           &cloudsupport.CaseClassification{Id: class},
			Priority:                 string(draft.Priority),
			SubscriberEmailAddresses: draft.Subscribers,
			TimeZone:                 draft.TimeZone,
			LanguageCode:             draft.Language,
			TestCase:                 draft.Test,
		}).Context(ctx).Do()
	})
	if err == nil {
		d.learn(parentOf(c.Name))
	}
	return c, err
}
