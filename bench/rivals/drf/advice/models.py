import uuid

from django.db import models


class Advice(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.TextField()
    origin = models.TextField(default="entered")
    subject = models.TextField()
    summary = models.TextField(null=True)
    level = models.TextField()
    lead_council = models.TextField()
    cluster = models.TextField(null=True)
    status = models.TextField(default="draft")
    outcome = models.TextField(null=True)
    meeting_on = models.DateField(null=True)
    votes_for = models.IntegerField(null=True)
    votes_against = models.IntegerField(null=True)
    submitted_on = models.DateField(null=True)
    received_on = models.DateField(null=True)
    answered_on = models.DateField(null=True)
    due_on = models.DateField(null=True)
    term_state = models.TextField(null=True)
    is_public = models.BooleanField(default=False)
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    class Meta:
        managed = False
        db_table = "advice"


class AdviceCouncil(models.Model):
    advice = models.ForeignKey(Advice, models.CASCADE, related_name="councils")
    council = models.TextField()

    class Meta:
        managed = False
        db_table = "advice_council"


class AdviceTheme(models.Model):
    advice = models.ForeignKey(Advice, models.CASCADE, related_name="themes")
    theme = models.TextField()

    class Meta:
        managed = False
        db_table = "advice_theme"


class Reference(models.Model):
    advice = models.ForeignKey(Advice, models.CASCADE, related_name="references")
    system = models.TextField()
    value = models.TextField()
    url = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = "reference"


class Point(models.Model):
    advice = models.ForeignKey(Advice, models.CASCADE, related_name="points")
    number = models.IntegerField()
    text = models.TextField()

    class Meta:
        managed = False
        db_table = "point"
        ordering = ["number"]


class Response(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    advice = models.ForeignKey(Advice, models.CASCADE, related_name="responses")
    kind = models.TextField()
    decided_on = models.DateField(null=True)
    sent_on = models.DateField(null=True)
    by = models.TextField()
    text = models.TextField(null=True)
    weighing = models.TextField(null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "response"


class ResponsePoint(models.Model):
    response = models.ForeignKey(Response, models.CASCADE, related_name="points")
    number = models.IntegerField()
    outcome = models.TextField()
    reasons = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = "response_point"
        ordering = ["number"]
