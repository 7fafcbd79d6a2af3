from django.db import transaction
from rest_framework import generics, serializers

from .models import Advice, AdviceCouncil, AdviceTheme, Point, Reference, Response, ResponsePoint


class PointSerializer(serializers.ModelSerializer):
    class Meta:
        model = Point
        fields = ["number", "text"]


class ReferenceSerializer(serializers.ModelSerializer):
    class Meta:
        model = Reference
        fields = ["system", "value", "url"]


class ResponsePointSerializer(serializers.ModelSerializer):
    class Meta:
        model = ResponsePoint
        fields = ["number", "outcome", "reasons"]


class ResponseSerializer(serializers.ModelSerializer):
    points = ResponsePointSerializer(many=True)

    class Meta:
        model = Response
        fields = ["id", "kind", "decided_on", "sent_on", "by", "text", "weighing", "recorded_at", "points"]


class AdviceSerializer(serializers.ModelSerializer):
    councils = serializers.SlugRelatedField("council", many=True, read_only=True)
    themes = serializers.SlugRelatedField("theme", many=True, read_only=True)
    references = ReferenceSerializer(many=True, read_only=True)
    points = PointSerializer(many=True)
    responses = ResponseSerializer(many=True, read_only=True)

    class Meta:
        model = Advice
        exclude = ["is_public"]
        read_only_fields = [
            "origin", "cluster", "status", "outcome", "meeting_on", "votes_for", "votes_against", "submitted_on", "received_on",
            "answered_on", "due_on", "term_state", "version", "created_at", "modified_at",
        ]

    @transaction.atomic
    def create(self, values):
        points = values.pop("points")
        themes = self.initial_data.get("themes", [])
        advice = Advice.objects.create(**values)
        AdviceCouncil.objects.create(advice=advice, council=advice.lead_council)
        Point.objects.bulk_create(Point(advice=advice, **point) for point in points)
        AdviceTheme.objects.bulk_create(AdviceTheme(advice=advice, theme=theme) for theme in themes)
        return advice


PUBLIC = Advice.objects.filter(is_public=True).prefetch_related("councils", "themes", "references", "points", "responses__points")


class AdviceList(generics.ListCreateAPIView):
    serializer_class = AdviceSerializer

    def get_queryset(self):
        asked = self.request.query_params
        found = PUBLIC.filter(lead_council=asked["council"], status=asked["status"])
        return found.order_by("-received_on", "-id")[: int(asked.get("limit", 20))]


class AdviceItem(generics.RetrieveAPIView):
    serializer_class = AdviceSerializer
    queryset = PUBLIC
