from django.urls import path

from advice.api import AdviceItem, AdviceList

urlpatterns = [path("advice", AdviceList.as_view()), path("advice/<uuid:pk>", AdviceItem.as_view())]
